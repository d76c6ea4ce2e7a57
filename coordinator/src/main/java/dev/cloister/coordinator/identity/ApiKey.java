package dev.cloister.coordinator.identity;

import dev.cloister.coordinator.labels.Labels;
import java.time.Instant;

/**
 * An API key as the coordinator keeps it: without the secret.
 *
 * @param required labels that a node must have to see its requests
 */
public record ApiKey(String id, String name, Instant createdAt, boolean revoked, Labels required) {}
