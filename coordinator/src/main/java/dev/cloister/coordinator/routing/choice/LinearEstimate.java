package dev.cloister.coordinator.routing.choice;

/**
 * A line {@code y = a + b x} through what was seen lately, with {@code a} and {@code b} not below
 * 0. Its level follows the newest observations; its slope, which needs different {@code x} to be
 * seen, remembers more of them and is an assumption before. Not thread-safe.
 */
final class LinearEstimate {
  /** Weight of what was known of the slope when something new is seen. */
  private static final double SLOPE_KEPT = 0.99;

  private final double assumedShare;
  private final double assumedVariance;
  private final double newest;
  private double levelX;
  private double levelY;
  private double weight;
  private double x;
  private double y;
  private double xx;
  private double xy;

  /**
   * @param assumedShare how much of {@code y} grows with {@code x}, until that is seen; 0 to 1
   * @param assumedVariance of {@code x}, at which what was seen counts as much as the assumption
   * @param newest weight of the newest observation in the level, as soon as there are enough of
   *     them; until then the level is the mean of all
   */
  LinearEstimate(double assumedShare, double assumedVariance, double newest) {
    this.assumedShare = assumedShare;
    this.assumedVariance = assumedVariance;
    this.newest = newest;
  }

  /** Whether anything was seen. */
  boolean known() {
    return weight > 0;
  }

  /** How many observations it rests on; old ones count less. */
  double weight() {
    return weight;
  }

  /** Takes an observation; both values are above 0. */
  void add(double newX, double newY) {
    double share = Math.max(newest, 1 / (weight + 1));
    levelX = (1 - share) * levelX + share * newX;
    levelY = (1 - share) * levelY + share * newY;
    weight = SLOPE_KEPT * weight + 1;
    x = SLOPE_KEPT * x + newX;
    y = SLOPE_KEPT * y + newY;
    xx = SLOPE_KEPT * xx + newX * newX;
    xy = SLOPE_KEPT * xy + newX * newY;
  }

  /** Forgets what was seen. */
  void clear() {
    weight = 0;
    x = 0;
    y = 0;
    xx = 0;
    xy = 0;
  }

  /** {@code b}. To be asked once something is known. */
  double slope() {
    double meanX = x / weight;
    double meanY = y / weight;
    double variance = Math.max(0, xx / weight - meanX * meanX);
    double covariance = xy / weight - meanX * meanY;
    double assumed = assumedShare * meanY / meanX;
    double slope = (covariance + assumedVariance * assumed) / (variance + assumedVariance);
    return Math.clamp(slope, 0, levelY / levelX);
  }

  /** {@code a}. To be asked once something is known. */
  double intercept() {
    // Rounding may leave a little less than nothing where everything grows with x.
    return Math.max(0, levelY - slope() * levelX);
  }
}
