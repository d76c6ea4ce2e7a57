package dev.cloister.client.admin;

import java.time.Instant;

/** A join token, without its secret. */
public record JoinTokenInfo(
    String id, String role, Instant createdAt, Instant expiresAt, int usesLeft, boolean revoked) {}
