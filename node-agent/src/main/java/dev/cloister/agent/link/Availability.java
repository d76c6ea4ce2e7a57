package dev.cloister.agent.link;

import java.time.Duration;

/** Whether this machine takes new work now. */
public sealed interface Availability {
  /** It does. */
  record Open() implements Availability {}

  /**
   * Its owner does not want it now.
   *
   * @param reason in a few words, for people: {@code on battery}
   * @param grace how long what runs may take; after it other nodes go on
   */
  record Paused(String reason, Duration grace) implements Availability {}

  /** The agent ends as soon as nothing runs here, or a few seconds later. */
  record Stopping() implements Availability {}
}
