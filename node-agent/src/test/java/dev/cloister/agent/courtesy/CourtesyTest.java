package dev.cloister.agent.courtesy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.agent.courtesy.Policy.WhileUserPresent;
import dev.cloister.agent.courtesy.Verdict.Cause;
import dev.cloister.agent.courtesy.Verdict.Pause;
import dev.cloister.agent.courtesy.Verdict.Work;
import java.time.Duration;
import java.time.LocalTime;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class CourtesyTest {
  private static final Observation BUSY =
      new Observation(
          true,
          OptionalDouble.of(0.62),
          OptionalDouble.of(0.9),
          Optional.of(Duration.ofSeconds(299)));
  private static final Observation UNKNOWN =
      new Observation(false, OptionalDouble.empty(), OptionalDouble.empty(), Optional.empty());
  private static final Policy STRICT =
      new Policy(
          true,
          OptionalDouble.of(0.5),
          OptionalDouble.of(0.5),
          WhileUserPresent.PAUSE,
          List.of(Hours.parse("18:00-08:00")));
  private static final LocalTime NIGHT = LocalTime.of(23, 0);

  @Test
  void withoutAPolicyItWorksWhateverIsGoingOn() {
    assertThat(Courtesy.judge(Policy.NONE, BUSY, LocalTime.NOON)).isEqualTo(new Work());
  }

  @Test
  void eachPartOfAPolicyIsAReasonToPause() {
    Policy none = Policy.NONE;
    assertThat(Courtesy.judge(STRICT, BUSY, LocalTime.NOON))
        .isEqualTo(new Pause(Cause.HOURS, "not within 18:00-08:00"));
    assertThat(Courtesy.judge(STRICT, BUSY, NIGHT))
        .isEqualTo(new Pause(Cause.BATTERY, "on battery"));
    assertThat(
            Courtesy.judge(
                new Policy(
                    false, none.foreignCpu(), none.foreignGpu(), WhileUserPresent.PAUSE, List.of()),
                BUSY,
                NIGHT))
        .isEqualTo(new Pause(Cause.USER, "somebody is at the machine"));
    assertThat(Courtesy.judge(cpu(0.5), BUSY, NIGHT))
        .isEqualTo(new Pause(Cause.CPU, "others use 62 % of the CPU"));
    assertThat(Courtesy.judge(cpu(0.62), BUSY, NIGHT)).isEqualTo(new Work());
    assertThat(
            Courtesy.judge(
                new Policy(
                    false,
                    OptionalDouble.empty(),
                    OptionalDouble.of(0.5),
                    WhileUserPresent.GENTLY,
                    List.of()),
                BUSY,
                NIGHT))
        .isEqualTo(new Pause(Cause.GPU, "others use 90 % of the GPU"));
  }

  @Test
  void whatNobodyCanTellIsNoReason() {
    assertThat(Courtesy.judge(STRICT, UNKNOWN, NIGHT)).isEqualTo(new Work());
    Observation away =
        new Observation(
            false, OptionalDouble.empty(), OptionalDouble.empty(), Optional.of(Courtesy.AWAY));
    assertThat(Courtesy.judge(STRICT, away, NIGHT)).isEqualTo(new Work());
  }

  @Test
  void hoursGoOverMidnight() {
    Hours night = Hours.parse("18:00-08:00");
    assertThat(night.contain(LocalTime.of(18, 0))).isTrue();
    assertThat(night.contain(LocalTime.MIDNIGHT)).isTrue();
    assertThat(night.contain(LocalTime.of(8, 0))).isFalse();
    Hours day = Hours.parse("08:00-18:00");
    assertThat(day.contain(LocalTime.of(7, 59))).isFalse();
    assertThat(day.contain(LocalTime.of(8, 0))).isTrue();
    assertThat(day.contain(LocalTime.of(18, 0))).isFalse();
    assertThat(Hours.parse("00:00-00:00").contain(LocalTime.NOON)).isTrue();
    for (String bad : List.of("", "8-18", "08:00", "08:00-24:00", "08:60-09:00")) {
      assertThatThrownBy(() -> Hours.parse(bad)).hasMessageContaining("expected: for example");
    }
  }

  @Test
  void twoPoliciesTogetherAreAsStrictAsEach() {
    Policy day =
        new Policy(
            false,
            OptionalDouble.of(0.2),
            OptionalDouble.empty(),
            WhileUserPresent.GENTLY,
            List.of(Hours.parse("20:00-06:00")));
    assertThat(day.and(STRICT))
        .isEqualTo(
            new Policy(
                true,
                OptionalDouble.of(0.2),
                OptionalDouble.of(0.5),
                WhileUserPresent.PAUSE,
                List.of(Hours.parse("20:00-06:00"), Hours.parse("18:00-08:00"))));
    assertThat(STRICT.and(Policy.NONE)).isEqualTo(STRICT);
    assertThat(Policy.NONE.and(STRICT)).isEqualTo(STRICT);
    assertThatThrownBy(() -> cpu(1.5)).hasMessageContaining("expected");
  }

  private static Policy cpu(double share) {
    return new Policy(
        false, OptionalDouble.of(share), OptionalDouble.empty(), WhileUserPresent.WORK, List.of());
  }
}
