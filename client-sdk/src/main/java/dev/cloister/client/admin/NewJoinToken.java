package dev.cloister.client.admin;

import java.time.Instant;

/** A join token just made. Its string form hides the token. */
public record NewJoinToken(String id, String token, Instant expiresAt) {
  @Override
  public String toString() {
    return "NewJoinToken[" + id + "]";
  }
}
