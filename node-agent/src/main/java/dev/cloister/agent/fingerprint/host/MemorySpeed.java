package dev.cloister.agent.fingerprint.host;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.Phaser;
import java.util.stream.IntStream;

/** Measures how fast main memory is read and written, which limits how fast answers are made. */
public final class MemorySpeed {
  /** More than the caches of most machines hold, for all threads together: 64 MiB. */
  private static final int LONGS = 8 << 20;

  private static final int ROUNDS = 4;
  private static final int COPIES = 4;
  private static final int MOST_THREADS = 16;

  private MemorySpeed() {}

  /**
   * Copies memory on so many threads for some tenths of a second.
   *
   * @return bytes read and written a second, in the best of some rounds
   */
  public static double bytesPerSecond(InstantSource clock, int threads)
      throws InterruptedException {
    int workers = Math.clamp(threads, 1, MOST_THREADS);
    int longs = LONGS / 2 / workers;
    Phaser phaser = new Phaser(workers + 1);
    Thread[] started =
        IntStream.range(0, workers)
            .mapToObj(i -> Thread.ofPlatform().daemon().start(() -> copy(phaser, longs)))
            .toArray(Thread[]::new);
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
      phaser.arriveAndAwaitAdvance();
      Instant began = clock.instant();
      phaser.arriveAndAwaitAdvance();
      double seconds = Duration.between(began, clock.instant()).toNanos() / 1e9;
      best = Math.max(best, 2.0 * Long.BYTES * longs * COPIES * workers / seconds);
    }
    for (Thread thread : started) {
      thread.join();
    }
    return best;
  }

  private static void copy(Phaser phaser, int longs) {
    long[] from = new long[longs];
    long[] to = new long[longs];
    for (int round = 0; round < ROUNDS; round++) {
      phaser.arriveAndAwaitAdvance();
      for (int i = 0; i < COPIES; i++) {
        System.arraycopy(from, 0, to, 0, longs);
        from[i] = to[longs - 1] + 1;
      }
      phaser.arriveAndAwaitAdvance();
    }
  }
}
