package dev.cloister.coordinator.routing.choice;

/**
 * A node that may answer a request, at one moment.
 *
 * @param active requests it has now, waiting ones included
 * @param pendingTokens tokens it is still expected to generate for them
 * @param pendingPromptTokens of their prompts, those it has still to compute
 * @param served requests it was given so far
 * @param limit requests it may have at once; 0 while it is ejected for its failures
 */
public record Candidate(
    Host host,
    Speed speed,
    double roundTripSeconds,
    int active,
    long pendingTokens,
    long pendingPromptTokens,
    long served,
    int limit) {

  public String nodeId() {
    return host.nodeId();
  }

  public String nodeName() {
    return host.nodeName();
  }

  /** Whether its queue takes no more. */
  public boolean full() {
    return active >= limit;
  }

  /** Whether it is left out because it failed, request after request. */
  public boolean ejected() {
    return limit == 0;
  }

  /** Answers at once while one more is made. */
  int answers() {
    return Math.min(active, host.slots() - 1) + 1;
  }

  /**
   * Until one more request has its slot and its turn. Of requests that run side by side, {@code k}
   * of {@code n} are done in about {@code k/n} of the time that all of them take.
   */
  double waitSeconds() {
    double prompts = pendingPromptTokens * speed.promptTokenSeconds();
    int slots = host.slots();
    if (active < slots) {
      return prompts;
    }
    double all = pendingTokens * speed.tokenSeconds(slots) / slots;
    return prompts + all * (active - slots + 1) / active;
  }

  /**
   * The same, as far as it was seen. Of times that are assumed only ratios mean anything: behind
   * one that waits for a slot already, on a node of any speed, the next may wait for ever.
   */
  double seenWaitSeconds() {
    if (speed.measured()) {
      return waitSeconds();
    }
    return active <= host.slots() ? 0 : Double.POSITIVE_INFINITY;
  }
}
