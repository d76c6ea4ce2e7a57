package dev.cloister.bench;

import java.util.Collections;
import java.util.List;

/**
 * One measured quantity.
 *
 * @param id stable name
 * @param target not a number where nothing is aimed at
 * @param better {@code higher} or {@code lower}
 * @param runs every measurement, in order
 */
public record Row(String id, String unit, double target, String better, List<Double> runs) {
  public Row {
    runs = List.copyOf(runs);
  }

  /** The median of the runs. */
  public double value() {
    double[] sorted = runs.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** Whether the target is reached. */
  public boolean reached() {
    if (Double.isNaN(target)) {
      return true;
    }
    return better.equals("higher") ? value() >= target : value() <= target;
  }

  double least() {
    return Collections.min(runs);
  }

  double most() {
    return Collections.max(runs);
  }
}
