package dev.cloister.coordinator.identity;

import dev.cloister.identity.Role;
import java.time.Instant;

/** A join token as the coordinator keeps it: without the secret. */
public record StoredToken(
    String id, Role role, Instant createdAt, Instant expiresAt, int usesLeft, boolean revoked) {}
