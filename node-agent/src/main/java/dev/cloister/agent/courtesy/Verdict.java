package dev.cloister.agent.courtesy;

/** Whether the machine works for the cluster now. */
public sealed interface Verdict {
  /** It does. */
  record Work() implements Verdict {}

  /**
   * It does not.
   *
   * @param cause what kind of reason it is: other figures of the same kind are no news
   * @param reason in a few words, for people: {@code on battery}
   */
  record Pause(Cause cause, String reason) implements Verdict {}

  /** Why a machine does not work. */
  enum Cause {
    HOURS,
    BATTERY,
    USER,
    CPU,
    GPU
  }
}
