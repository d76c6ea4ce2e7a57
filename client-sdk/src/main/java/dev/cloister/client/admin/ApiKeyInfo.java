package dev.cloister.client.admin;

import java.time.Instant;

/** An API key, without its secret. */
public record ApiKeyInfo(String id, String name, Instant createdAt, boolean revoked) {}
