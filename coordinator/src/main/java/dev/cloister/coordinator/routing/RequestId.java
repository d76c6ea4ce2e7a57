package dev.cloister.coordinator.routing;

import java.util.UUID;

/** Names of requests: unique, unguessable, and meaningless. */
public final class RequestId {
  private RequestId() {}

  public static String next() {
    return "req-" + UUID.randomUUID().toString().replace("-", "");
  }
}
