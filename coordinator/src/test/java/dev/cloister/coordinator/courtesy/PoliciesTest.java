package dev.cloister.coordinator.courtesy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.coordinator.courtesy.CourtesyPolicy.Hours;
import dev.cloister.coordinator.courtesy.CourtesyPolicy.WhileUserPresent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class PoliciesTest {
  private static final CourtesyPolicy NIGHTS =
      new CourtesyPolicy(
          Optional.empty(),
          OptionalDouble.of(0.5),
          OptionalDouble.empty(),
          Optional.empty(),
          Optional.of(Hours.parse("18:00-08:00")));
  private static final CourtesyPolicy ON_BATTERY_TOO =
      new CourtesyPolicy(
          Optional.of(false),
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          Optional.of(WhileUserPresent.PAUSE),
          Optional.empty());

  private final MemoryRecords records = new MemoryRecords();
  private final Policies policies = new Policies(CourtesyPolicy.DEFAULT, records);
  private final List<CourtesyPolicy> desk = new ArrayList<>();
  private final List<CourtesyPolicy> rack = new ArrayList<>();

  @Test
  void anAgentIsToldWhatHoldsWhenItComesAndWheneverThatChanges() {
    policies.follow("desk", CourtesyPolicy.NONE, desk::add);
    assertThat(desk).containsExactly(CourtesyPolicy.DEFAULT);
    policies.say(Policies.ALL, NIGHTS, false);
    assertThat(desk.getLast()).isEqualTo(NIGHTS.orElse(CourtesyPolicy.DEFAULT));
    policies.say("desk", ON_BATTERY_TOO, false);
    assertThat(desk.getLast()).isEqualTo(ON_BATTERY_TOO.orElse(NIGHTS));
    assertThat(desk).hasSize(3);
  }

  @Test
  void whatIsSetForOneIsNotToldToOthers() {
    policies.follow("desk", CourtesyPolicy.NONE, desk::add);
    policies.follow("rack", CourtesyPolicy.NONE, rack::add);
    policies.say("rack", ON_BATTERY_TOO, false);
    assertThat(desk).containsOnly(CourtesyPolicy.DEFAULT);
    assertThat(rack.getLast().notOnBattery()).hasValue(false);
  }

  @Test
  void whatIsNotSaidStaysUnlessAllIsForgotten() {
    policies.say("desk", NIGHTS, false);
    policies.say("desk", ON_BATTERY_TOO, false);
    assertThat(policies.said("desk")).isEqualTo(ON_BATTERY_TOO.orElse(NIGHTS));
    policies.say("desk", ON_BATTERY_TOO, true);
    assertThat(policies.said("desk")).isEqualTo(ON_BATTERY_TOO);
    policies.say("desk", CourtesyPolicy.NONE, true);
    assertThat(policies.said("desk")).isEqualTo(CourtesyPolicy.NONE);
  }

  @Test
  void whatWasSaidHoldsWhenTheCoordinatorStartsAnew() {
    policies.say(Policies.ALL, NIGHTS, false);
    policies.say("desk", ON_BATTERY_TOO, false);
    Policies next = new Policies(CourtesyPolicy.NONE, records);
    next.follow("desk", CourtesyPolicy.NONE, desk::add);
    assertThat(desk).containsExactly(ON_BATTERY_TOO.orElse(NIGHTS));
  }

  @Test
  void aSessionThatEndsDoesNotEndTheOneThatTookItsPlace() {
    policies.follow("desk", NIGHTS, desk::add);
    Consumer<CourtesyPolicy> former = rack::add;
    policies.leave("desk", former);
    policies.say(Policies.ALL, NIGHTS, false);
    assertThat(desk).hasSize(2);
    assertThat(policies.owner("desk")).hasValue(NIGHTS);
    assertThat(policies.owner("rack")).isEmpty();
  }

  @Test
  void aShareIsWithinItsRange() {
    for (double share : new double[] {-0.1, 1.1, Double.NaN}) {
      assertThatThrownBy(
              () ->
                  new CourtesyPolicy(
                      Optional.empty(),
                      OptionalDouble.of(share),
                      OptionalDouble.empty(),
                      Optional.empty(),
                      Optional.empty()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("the CPU load of others: " + share + " (expected: 0 to 1)");
    }
  }

  private static final class MemoryRecords implements PolicyRecords {
    private final Map<String, CourtesyPolicy> all = new HashMap<>();

    @Override
    public Map<String, CourtesyPolicy> all() {
      return Map.copyOf(all);
    }

    @Override
    public void put(String nodeId, CourtesyPolicy said) {
      all.put(nodeId, said);
    }
  }
}
