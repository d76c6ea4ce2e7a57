package dev.cloister.coordinator.fleet;

import java.time.Instant;

/**
 * A node gets nothing new; what runs there may finish.
 *
 * @param reason in a few words, for people; empty where the cause says it all
 * @param deadline from when on what still runs is moved to other nodes
 */
public record Drain(Cause cause, String reason, Instant deadline) {

  /** Who wants it. */
  public enum Cause {
    /** An administrator, until told otherwise. */
    ADMINISTRATOR,
    /** The machine's owner, by what is going on there. */
    OWNER,
    /** Its agent is being stopped. */
    STOPPING
  }

  private static final int LONGEST_REASON = 100;

  public Drain {
    // It may come from an agent, and goes to terminals and logs.
    reason = reason.replaceAll("[\\p{Cntrl}\\p{Cs}\\p{Zl}\\p{Zp}]", "?");
    reason = reason.length() <= LONGEST_REASON ? reason : reason.substring(0, LONGEST_REASON);
  }

  /** By an administrator. */
  public static Drain byAdministrator(Instant deadline) {
    return new Drain(Cause.ADMINISTRATOR, "", deadline);
  }

  public boolean isOver(Instant now) {
    return !now.isBefore(deadline);
  }

  /** For people: {@code paused: on battery}. */
  public String describe() {
    return switch (cause) {
      case ADMINISTRATOR -> "drained";
      case OWNER -> "paused: " + reason;
      case STOPPING -> "stopping";
    };
  }
}
