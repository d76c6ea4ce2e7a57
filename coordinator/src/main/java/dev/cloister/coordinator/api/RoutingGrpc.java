package dev.cloister.coordinator.api;

import dev.cloister.coordinator.routing.DecisionLog;
import dev.cloister.coordinator.routing.choice.Candidate;
import dev.cloister.proto.routing.v1.Decision;
import dev.cloister.proto.routing.v1.ExplainRequest;
import dev.cloister.proto.routing.v1.ExplainResponse;
import dev.cloister.proto.routing.v1.Prediction;
import dev.cloister.proto.routing.v1.RoutingServiceGrpc.RoutingServiceImplBase;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.List;

/** Why requests went where they went. */
final class RoutingGrpc extends RoutingServiceImplBase {
  private final DecisionLog decisions;

  RoutingGrpc(DecisionLog decisions) {
    this.decisions = decisions;
  }

  @Override
  public void explain(ExplainRequest request, StreamObserver<ExplainResponse> reply) {
    List<DecisionLog.Entry> entries =
        decisions
            .find(request.getRequestId())
            .orElseThrow(
                () ->
                    Status.NOT_FOUND
                        .withDescription(
                            "no decision about such a request is known (they are kept for an hour);"
                                + " its id is in the header x-cloister-request of the answer")
                        .asRuntimeException());
    reply.onNext(
        ExplainResponse.newBuilder()
            .addAllDecisions(entries.stream().map(RoutingGrpc::toWire).toList())
            .build());
    reply.onCompleted();
  }

  private static Decision toWire(DecisionLog.Entry entry) {
    Decision.Builder wire =
        Decision.newBuilder()
            .setAtMillis(entry.at().toEpochMilli())
            .setModel(entry.model())
            .setTokensBefore(entry.tokensBefore())
            .setCandidates(entry.decision().candidates());
    for (var prediction : entry.decision().predictions()) {
      wire.setPromptTokens(prediction.ask().promptTokens())
          .setAnswerTokens(prediction.ask().answerTokens())
          .addPredictions(toWire(prediction));
    }
    return wire.build();
  }

  private static Prediction toWire(dev.cloister.coordinator.routing.choice.Prediction prediction) {
    Candidate candidate = prediction.candidate();
    return Prediction.newBuilder()
        .setNodeId(candidate.nodeId())
        .setNode(candidate.nodeName())
        .setSeconds(prediction.seconds())
        .setWaitSeconds(prediction.waitSeconds())
        .setLoadSeconds(prediction.loadSeconds())
        .setPromptSeconds(prediction.promptSeconds())
        .setAnswerSeconds(prediction.answerSeconds())
        .setRoundTripSeconds(prediction.roundTripSeconds())
        .setCachedTokens(prediction.cachedTokens())
        .setPromptTokensPerSecond(candidate.speed().promptTokensPerSecond())
        .setTokensPerSecond(prediction.tokensPerSecond())
        .setMeasured(candidate.speed().measured())
        .setActive(candidate.active())
        .setSlots(candidate.host().slots())
        .setFull(prediction.full())
        .setLimit(candidate.limit())
        .build();
  }
}
