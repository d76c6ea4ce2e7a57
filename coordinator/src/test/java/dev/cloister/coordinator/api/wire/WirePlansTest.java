package dev.cloister.coordinator.api.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.placement.PipelinePlan;
import dev.cloister.coordinator.placement.PipelinePlan.PlannedStage;
import dev.cloister.coordinator.placement.Proposal;
import dev.cloister.coordinator.placement.StageMemory;
import dev.cloister.proto.catalog.v1.PlanModelRequest;
import dev.cloister.proto.catalog.v1.PlanModelResponse;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class WirePlansTest {
  @Test
  void whatIsAskedTakesThePlaceOfWhatIsConfigured() {
    ModelOptions own =
        ModelOptions.NONE
            .withSize(OptionalInt.of(512), OptionalInt.of(2))
            .withSplit(OptionalInt.of(3));
    PlanModelRequest.Builder request = PlanModelRequest.newBuilder();
    assertThat(WirePlans.options(own, request.build())).isEqualTo(own);
    request.getSplitBuilder().setStages(0);
    assertThat(WirePlans.options(own, request.build()).split()).isEmpty();
    request.setContextTokens(1024).getSplitBuilder().setStages(2);
    assertThat(WirePlans.options(own, request.build()))
        .isEqualTo(
            own.withSplit(OptionalInt.of(2)).withSize(OptionalInt.of(1024), OptionalInt.of(2)));
  }

  @Test
  void aPlanIsToldWithAllItsNumbers() {
    PlannedStage stage =
        new PlannedStage(
            "1",
            "desk",
            0,
            4,
            new StageMemory(100, 20, 3, 0, 0, 7, true),
            500,
            0.5,
            0.25,
            true,
            true);
    PipelinePlan plan = new PipelinePlan(List.of(stage), 0.75, 100, 20, 5);
    PlanModelResponse wire =
        WirePlans.toWire(new Proposal(Optional.of(plan), List.of(plan), "because"));
    assertThat(wire.getReason()).isEqualTo("because");
    assertThat(wire.getAlternatives(0)).isEqualTo(wire.getPlan());
    assertThat(wire.getPlan().getSecondsPerToken()).isEqualTo(0.75);
    assertThat(wire.getPlan().getPromptTokensPerSecond()).isEqualTo(100);
    assertThat(wire.getPlan().getTotalTokensPerSecond()).isEqualTo(20);
    assertThat(wire.getPlan().getLoadSeconds()).isEqualTo(5);
    assertThat(wire.getPlan().getStages(0).getNodeName()).isEqualTo("desk");
    assertThat(wire.getPlan().getStages(0).getEndLayer()).isEqualTo(4);
    assertThat(wire.getPlan().getStages(0).getWeightBytes()).isEqualTo(100);
    assertThat(wire.getPlan().getStages(0).getKvBytes()).isEqualTo(20);
    assertThat(wire.getPlan().getStages(0).getComputeBytes()).isEqualTo(3);
    assertThat(wire.getPlan().getStages(0).getMemoryBytes()).isEqualTo(stage.memory().totalBytes());
    assertThat(wire.getPlan().getStages(0).getFreeBytes()).isEqualTo(500);
    assertThat(wire.getPlan().getStages(0).getHopSeconds()).isEqualTo(0.25);
    assertThat(wire.getPlan().getStages(0).getRelayed()).isTrue();
    assertThat(wire.getPlan().getStages(0).getHopMeasured()).isTrue();
  }
}
