package dev.cloister.coordinator.routing.choice;

/**
 * About the median of ratios that others tell: each moves it by the same small step, however absurd
 * it is. Not thread-safe.
 */
final class TypicalRatio {
  private static final double STEP = 0.02;

  private final double least;
  private final double most;
  private double value;

  TypicalRatio(double initial, double least, double most) {
    this.value = initial;
    this.least = least;
    this.most = most;
  }

  void add(double ratio) {
    value = Math.clamp(value * (ratio > value ? 1 + STEP : 1 - STEP), least, most);
  }

  double value() {
    return value;
  }
}
