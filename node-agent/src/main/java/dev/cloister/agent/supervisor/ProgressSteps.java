package dev.cloister.agent.supervisor;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Which news of a progress are worth telling: those that bring it to the next twentieth. What a
 * source tells a thousand times a second would otherwise travel to the coordinator as often.
 * Thread-safe.
 */
final class ProgressSteps {
  private static final int STEPS = 20;

  private final AtomicInteger told = new AtomicInteger(-1);

  /**
   * Whether this is further than what was told before; counts as told if it is.
   *
   * @param progress 0 to 1
   */
  boolean isNext(double progress) {
    int step = (int) (Math.clamp(progress, 0, 1) * STEPS);
    return told.getAndAccumulate(step, Math::max) < step;
  }
}
