package dev.cloister.coordinator.identity;

import java.time.Instant;

/** An API key as the coordinator keeps it: without the secret. */
public record ApiKey(String id, String name, Instant createdAt, boolean revoked) {}
