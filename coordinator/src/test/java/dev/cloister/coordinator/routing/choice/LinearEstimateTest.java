package dev.cloister.coordinator.routing.choice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class LinearEstimateTest {
  @Test
  void theLevelIsTheMeanOfTheFirstObservationsAndFollowsTheLatestFromThenOn() {
    LinearEstimate line = new LinearEstimate(0, 1, 0.2);
    for (double y : new double[] {9, 1, 2, 4}) {
      line.add(1, y);
    }
    assertThat(line.intercept()).isCloseTo(4, within(0.1));
    for (int i = 0; i < 20; i++) {
      line.add(1, 1);
    }
    assertThat(line.intercept()).isCloseTo(1, within(0.1));
  }

  @Test
  void neitherPartIsEverBelowNothingWhateverIsSeen() {
    for (long seed = 0; seed < 500; seed++) {
      Random random = new Random(seed);
      LinearEstimate line = new LinearEstimate(0.5, 0.5, 0.2);
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
