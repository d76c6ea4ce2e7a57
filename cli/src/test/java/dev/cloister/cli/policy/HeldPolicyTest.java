package dev.cloister.cli.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.cli.policy.HeldPolicy.By;
import dev.cloister.cli.policy.HeldPolicy.Said;
import dev.cloister.client.admin.Courtesy;
import dev.cloister.client.admin.Courtesy.Ceilings;
import dev.cloister.client.admin.Courtesy.Hours;
import dev.cloister.client.admin.Courtesy.WhileUserPresent;
import dev.cloister.client.admin.PolicyInfo;
import java.time.LocalTime;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class HeldPolicyTest {
  private static final Hours NIGHT = new Hours(LocalTime.of(18, 0), LocalTime.of(8, 0));
  private static final Hours EVENING = new Hours(LocalTime.of(17, 0), LocalTime.of(23, 30));
  private static final Courtesy INITIAL =
      new Courtesy(
          Optional.of(true),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty());
  private static final Courtesy ALL =
      new Courtesy(
          Optional.empty(),
          Optional.of(0.5),
          Optional.of(1.0),
          Optional.empty(),
          Optional.of(NIGHT));

  @Test
  void whatIsSaidOfOneMachineCountsBeforeWhatIsSaidOfAllAndThatBeforeTheStart() {
    Courtesy own =
        new Courtesy(
            Optional.of(false),
            Optional.empty(),
            Optional.empty(),
            Optional.of(WhileUserPresent.GENTLY),
            Optional.empty());
    HeldPolicy held = held(own, Optional.empty());
    assertThat(held.battery()).hasValue(new Said<>(false, By.NODE));
    assertThat(held.cpu()).hasValue(new Said<>(0.5, By.ALL));
    assertThat(held.user()).hasValue(new Said<>(WhileUserPresent.GENTLY, By.NODE));
    assertThat(held.hours()).containsExactly(new Said<>(NIGHT, By.ALL));
    assertThat(HeldPolicy.ofAll(new PolicyInfo(INITIAL, ALL, List.of())).battery())
        .hasValue(new Said<>(true, By.START));
  }

  @Test
  void anOwnerCountsWhereItIsStricterAndNeverWhereItIsNot() {
    Courtesy owner =
        new Courtesy(
            Optional.empty(),
            Optional.of(0.7),
            Optional.of(0.2),
            Optional.of(WhileUserPresent.PAUSE),
            Optional.of(EVENING),
            new Ceilings(Optional.of(8L << 30), Optional.empty()));
    HeldPolicy held = held(Courtesy.NONE, Optional.of(owner));
    assertThat(held.battery()).hasValue(new Said<>(true, By.START));
    assertThat(held.cpu()).hasValue(new Said<>(0.5, By.ALL));
    assertThat(held.gpu()).hasValue(new Said<>(0.2, By.OWNER));
    assertThat(held.user()).hasValue(new Said<>(WhileUserPresent.PAUSE, By.OWNER));
    assertThat(held.hours())
        .containsExactly(new Said<>(NIGHT, By.ALL), new Said<>(EVENING, By.OWNER));
    assertThat(PolicyTable.cells(held))
        .extracting(PolicyTable.Cell::shown)
        .containsExactly(
            "pauses",
            "up to 50 %",
            "up to 20 % (owner)",
            "pauses (owner)",
            "18:00-08:00 and 17:00-23:30 (owner)",
            "up to 8.0 GiB (owner)",
            "any");
  }

  @Test
  void whereNobodySaysAnythingAMachineWorks() {
    HeldPolicy held = HeldPolicy.ofAll(new PolicyInfo(Courtesy.NONE, Courtesy.NONE, List.of()));
    assertThat(PolicyTable.cells(held))
        .extracting(PolicyTable.Cell::shown)
        .containsExactly("works", "any", "any", "works", "always", "any", "any");
    assertThat(PolicyTable.cells(held)).allMatch(cell -> cell.saidBy().equals("nobody"));
  }

  private static HeldPolicy held(Courtesy own, Optional<Courtesy> owner) {
    PolicyInfo.Node node = new PolicyInfo.Node("1", "desk", own, owner);
    return HeldPolicy.of(new PolicyInfo(INITIAL, ALL, List.of(node)), node);
  }
}
