package dev.cloister.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Two ways of doing the same take turns, so that what disturbs the machine disturbs both: as many
 * turns as last a while, since a small model's answer is over before the machine has settled. Who
 * comes first alternates.
 */
public final class Turns {
  /** Turns have numbers below this one. */
  static final int MOST = 1000;

  private static final long SETTLED_NANOS = 3_000_000_000L;
  private static final int LEAST = 3;

  private Turns() {}

  /** One turn of one way. */
  public interface Way {
    /**
     * @param turn from 0 on; both ways get the same
     */
    double measure(int turn) throws IOException, InterruptedException;
  }

  /** The median of one way's turns over that of the other's. */
  public static double ratio(Way one, Way other) throws IOException, InterruptedException {
    List<Double> ones = new ArrayList<>();
    List<Double> others = new ArrayList<>();
    long begin = System.nanoTime();
    for (int turn = 0;
        turn < LEAST || (turn < MOST && System.nanoTime() - begin < SETTLED_NANOS);
        turn++) {
      boolean first = turn % 2 == 0;
      if (first) {
        ones.add(one.measure(turn));
      }
      others.add(other.measure(turn));
      if (!first) {
        ones.add(one.measure(turn));
      }
    }
    return Row.percentile(ones, 50) / Row.percentile(others, 50);
  }
}
