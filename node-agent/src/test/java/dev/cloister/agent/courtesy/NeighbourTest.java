package dev.cloister.agent.courtesy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.agent.courtesy.Policy.WhileUserPresent;
import dev.cloister.agent.courtesy.Verdict.Cause;
import dev.cloister.agent.courtesy.Verdict.Pause;
import dev.cloister.agent.courtesy.Verdict.Work;
import dev.cloister.testkit.SettableClock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

/** A machine whose policy is judged again and again. */
class NeighbourTest {
  private static final Policy CPU =
      new Policy(
          false, OptionalDouble.of(0.5), OptionalDouble.empty(), WhileUserPresent.WORK, List.of());
  private static final Policy BATTERY =
      new Policy(
          true, OptionalDouble.empty(), OptionalDouble.empty(), WhileUserPresent.WORK, List.of());
  private static final Pause ON_BATTERY = new Pause(Cause.BATTERY, "on battery");

  private final SettableClock clock = new SettableClock(Instant.parse("2026-01-01T12:00:00Z"));
  private final List<Verdict> told = new ArrayList<>();
  private boolean battery;
  private double foreign;

  private Neighbour neighbour(Policy owner) {
    return new Neighbour(
        owner,
        policy ->
            new Observation(
                battery, OptionalDouble.of(foreign), OptionalDouble.empty(), Optional.empty()),
        clock,
        ZoneOffset.UTC,
        told::add);
  }

  @Test
  void batteryIsAReasonAtOnceAndPowerOneAfterAWhile() throws Exception {
    Neighbour neighbour = neighbour(BATTERY);
    battery = true;
    look(neighbour, 0);
    assertThat(told).containsExactly(ON_BATTERY);
    battery = false;
    look(neighbour, 28);
    battery = true;
    look(neighbour, 2);
    battery = false;
    look(neighbour, 28);
    assertThat(told).as("it went to and fro").containsExactly(ON_BATTERY);
    look(neighbour, 2);
    assertThat(told).containsExactly(ON_BATTERY, new Work());
  }

  @Test
  void othersLoadCountsOnceItLastsAndIsToldOnce() throws Exception {
    Neighbour neighbour = neighbour(CPU);
    foreign = 0.9;
    look(neighbour, 8);
    foreign = 0.1;
    look(neighbour, 2);
    foreign = 0.8;
    look(neighbour, 8);
    assertThat(told).isEmpty();
    look(neighbour, 2);
    foreign = 0.7;
    look(neighbour, 20);
    assertThat(told).containsExactly(new Pause(Cause.CPU, "others use 80 % of the CPU"));
  }

  @Test
  void theClustersPolicyMakesTheOwnersStricterAndNeverLaxer() throws Exception {
    Neighbour neighbour = neighbour(CPU);
    battery = true;
    neighbour.follow(BATTERY);
    look(neighbour, 0);
    assertThat(told).containsExactly(ON_BATTERY);
    neighbour.follow(Policy.NONE);
    foreign = 0.9;
    look(neighbour, 60);
    assertThat(told)
        .last()
        .as("the owner's own still counts")
        .isEqualTo(new Pause(Cause.CPU, "others use 90 % of the CPU"));
  }

  @Test
  void whatPeopleSayCountsAtOnceAlsoWhenTheyLetItWorkAgain() throws Exception {
    Neighbour neighbour = neighbour(Policy.NONE);
    battery = true;
    neighbour.follow(BATTERY);
    look(neighbour, 0);
    neighbour.follow(Policy.NONE);
    look(neighbour, 0);
    assertThat(told).containsExactly(ON_BATTERY, new Work());
  }

  /** Looks every two seconds. */
  private void look(Neighbour neighbour, int seconds) throws InterruptedException {
    neighbour.look();
    for (int passed = 0; passed < seconds; passed += 2) {
      clock.advance(Duration.ofSeconds(2));
      neighbour.look();
    }
  }
}
