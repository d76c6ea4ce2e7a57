package dev.cloister.coordinator.identity;

import dev.cloister.identity.Role;
import java.time.Instant;

/**
 * Somebody or something that joined.
 *
 * @param id the member id of its certificates
 * @param name unique within the role
 */
public record Member(String id, Role role, String name, Instant joinedAt) {}
