package dev.cloister.bench;

import java.util.ArrayList;
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

  /** The same quantity with the runs of both. */
  public Row and(Row more) {
    List<Double> all = new ArrayList<>(runs);
    all.addAll(more.runs);
    return new Row(id, unit, target, better, all);
  }

  /** The median of the runs. */
  public double value() {
    return percentile(runs, 50);
  }

  /**
   * The value below which so many of a hundred lie; between two of them where it falls there.
   *
   * @param values at least one
   */
  public static double percentile(List<Double> values, int percent) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    double place = (sorted.length - 1) * percent / 100.0;
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
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
