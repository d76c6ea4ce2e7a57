package dev.cloister.coordinator.routing.answer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.coordinator.labels.Labels;
import org.junit.jupiter.api.Test;

class AnswerLengthsTest {
  private static final Tenant BRIEF = Tenant.ofApiKey("brief", Labels.NONE);
  private static final Tenant NEW = Tenant.ofApiKey("new", Labels.NONE);

  private final AnswerLengths lengths = new AnswerLengths();

  @Test
  void withoutAnyAnswerTheLimitOrAnAssumptionCounts() {
    assertThat(lengths.expected(NEW, "m", 0)).isEqualTo(128);
    assertThat(lengths.expected(NEW, "m", 5)).isEqualTo(5);
    assertThat(lengths.expected(NEW, "m", 100_000)).isEqualTo(128);
  }

  @Test
  void aCallerAsksForWhatItUsedToNeedAndANewOneForWhatOthersDo() {
    for (int i = 0; i < 50; i++) {
      lengths.ended(BRIEF, "m", 10);
      lengths.ended(Tenant.ofApiKey("long", Labels.NONE), "m", 1_000);
    }
    assertThat(lengths.expected(BRIEF, "m", 0)).isEqualTo(10);
    assertThat(lengths.expected(NEW, "m", 0)).isBetween(300, 700);
    assertThat(lengths.expected(NEW, "m", 20)).isEqualTo(20);
    assertThat(lengths.expected(BRIEF, "other", 0)).isEqualTo(128);
  }
}
