package dev.cloister.cli.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.client.admin.PlanInfo;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PlanCommandTest {
  private static String printed(PlanInfo info) {
    StringWriter out = new StringWriter();
    PlanCommand.print(new PrintWriter(out, true), info);
    return out.toString();
  }

  private static PlanInfo.Stage stage(String node, int first, int end, boolean relayed) {
    return new PlanInfo.Stage(
        "id",
        node,
        first,
        end,
        3L << 30,
        1L << 30,
        100L << 20,
        5L << 30,
        8L << 30,
        0.0421,
        0.0034,
        relayed,
        relayed);
  }

  @Test
  void namesInTheReasonStayAsTheyAre() {
    String nothing = "qwen is to be split over 3 nodes, and 2 are online";
    assertThat(printed(new PlanInfo(Optional.empty(), List.of(), nothing)).strip())
        .isEqualTo(nothing + ".");
  }

  @Test
  void aPlanIsToldStageByStage() {
    PlanInfo.Plan plan =
        new PlanInfo.Plan(
            List.of(stage("desk", 0, 8, true), stage("rack", 8, 16, false)), 0.1, 200, 20, 7.2);
    assertThat(printed(new PlanInfo(Optional.of(plan), List.of(plan), "desk is too small")).lines())
        .startsWith("desk is too small.")
        .anyMatch(
            line ->
                line.startsWith("desk")
                    && line.contains(" 0-7 ")
                    && line.contains("42.10 ms")
                    && line.endsWith("3.40 ms through the coordinator, measured"))
        .anyMatch(line -> line.startsWith("rack") && line.endsWith("3.40 ms, assumed"))
        .contains("one answer alone   10.0 tokens/s", "loading            about 7 s")
        .anyMatch(line -> line.startsWith("desk 0-7, rack 8-15 "));
  }
}
