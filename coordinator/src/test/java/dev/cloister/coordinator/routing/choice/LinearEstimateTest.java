package dev.cloister.coordinator.routing.choice;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class LinearEstimateTest {
  @Test
  void neitherPartIsEverBelowNothingWhateverIsSeen() {
    for (long seed = 0; seed < 500; seed++) {
      Random random = new Random(seed);
      LinearEstimate line = new LinearEstimate(0.5, 0.5);
      for (int i = 0; i < 50; i++) {
        double x = 1 + random.nextInt(8);
        line.add(x, random.nextBoolean() ? x / 300 : random.nextDouble());
        assertThat(line.intercept()).as("seed %d", seed).isGreaterThanOrEqualTo(0);
        assertThat(line.slope()).as("seed %d", seed).isGreaterThanOrEqualTo(0);
        assertThat(line.intercept() + line.slope()).as("seed %d", seed).isPositive();
      }
    }
  }
}
