package dev.cloister.coordinator.api.wire;

import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.placement.PipelinePlan;
import dev.cloister.coordinator.placement.PipelinePlan.PlannedStage;
import dev.cloister.coordinator.placement.Proposal;
import dev.cloister.proto.catalog.v1.Plan;
import dev.cloister.proto.catalog.v1.PlanModelRequest;
import dev.cloister.proto.catalog.v1.PlanModelResponse;
import java.util.OptionalInt;

/** How models would be placed, between the wire and the domain. */
public final class WirePlans {
  private WirePlans() {}

  /**
   * A model's own options, but for what is asked otherwise. A split into 0 stages leaves it to the
   * planner.
   *
   * @throws IllegalArgumentException if a value is out of range
   */
  public static ModelOptions options(ModelOptions own, PlanModelRequest request) {
    ModelOptions asked = own;
    if (request.hasSplit()) {
      int stages = request.getSplit().getStages();
      asked =
          asked.withSplit(
              stages == 0 ? OptionalInt.empty() : OptionalInt.of(stages),
              request.getSplit().getForce());
    }
    return asked.withSize(
        request.hasContextTokens()
            ? OptionalInt.of(request.getContextTokens())
            : own.contextTokens(),
        request.hasSlots() ? OptionalInt.of(request.getSlots()) : own.slots());
  }

  public static PlanModelResponse toWire(Proposal proposal) {
    PlanModelResponse.Builder wire = PlanModelResponse.newBuilder().setReason(proposal.reason());
    proposal.plan().map(WirePlans::toWire).ifPresent(wire::setPlan);
    proposal.alternatives().forEach(plan -> wire.addAlternatives(toWire(plan)));
    return wire.build();
  }

  private static Plan toWire(PipelinePlan plan) {
    Plan.Builder wire =
        Plan.newBuilder()
            .setSecondsPerToken(plan.secondsPerToken())
            .setPromptTokensPerSecond(plan.promptTokensPerSecond())
            .setTotalTokensPerSecond(plan.totalTokensPerSecond())
            .setLoadSeconds(plan.loadSeconds());
    for (PlannedStage stage : plan.stages()) {
      wire.addStagesBuilder()
          .setNodeId(stage.nodeId())
          .setNodeName(stage.nodeName())
          .setFirstLayer(stage.firstLayer())
          .setEndLayer(stage.endLayer())
          .setWeightBytes(stage.memory().weightBytes())
          .setKvBytes(stage.memory().kvBytes())
          .setComputeBytes(stage.memory().computeBytes())
          .setMemoryBytes(stage.memory().totalBytes())
          .setFreeBytes(stage.freeBytes())
          .setSecondsPerToken(stage.secondsPerToken())
          .setHopSeconds(stage.hopSeconds())
          .setRelayed(stage.relayed())
          .setHopMeasured(stage.measured());
    }
    return wire.build();
  }
}
