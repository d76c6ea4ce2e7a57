package dev.cloister.agent.courtesy;

/** Observes the machine, now and since it was asked before. Not thread-safe; may take a second. */
public interface Surroundings {
  /**
   * Observes what the policy asks for; the rest is unknown.
   *
   * @throws InterruptedException if the thread is to end
   */
  Observation observe(Policy policy) throws InterruptedException;
}
