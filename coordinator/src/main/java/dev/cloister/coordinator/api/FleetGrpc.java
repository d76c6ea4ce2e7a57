package dev.cloister.coordinator.api;

import dev.cloister.coordinator.api.wire.WireFleet;
import dev.cloister.coordinator.api.wire.WirePolicy;
import dev.cloister.coordinator.courtesy.Policies;
import dev.cloister.coordinator.deployment.Deployments;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.NodeState;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.routing.Dispatcher;
import dev.cloister.coordinator.wake.Waker;
import dev.cloister.proto.fleet.v1.DrainNodeRequest;
import dev.cloister.proto.fleet.v1.DrainNodeResponse;
import dev.cloister.proto.fleet.v1.FleetServiceGrpc.FleetServiceImplBase;
import dev.cloister.proto.fleet.v1.LabelNodeRequest;
import dev.cloister.proto.fleet.v1.LabelNodeResponse;
import dev.cloister.proto.fleet.v1.ListNodesRequest;
import dev.cloister.proto.fleet.v1.ListNodesResponse;
import dev.cloister.proto.fleet.v1.ListPoliciesRequest;
import dev.cloister.proto.fleet.v1.ListPoliciesResponse;
import dev.cloister.proto.fleet.v1.NodePolicy;
import dev.cloister.proto.fleet.v1.ResumeNodeRequest;
import dev.cloister.proto.fleet.v1.ResumeNodeResponse;
import dev.cloister.proto.fleet.v1.SetPolicyRequest;
import dev.cloister.proto.fleet.v1.SetPolicyResponse;
import dev.cloister.proto.fleet.v1.WakeNodeRequest;
import dev.cloister.proto.fleet.v1.WakeNodeResponse;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Map;

/** The machines, for people. */
final class FleetGrpc extends FleetServiceImplBase {
  private static final Duration LONGEST_DRAIN = Duration.ofDays(1);

  private final Fleet fleet;
  private final Deployments deployments;
  private final Dispatcher dispatcher;
  private final Waker waker;
  private final Policies policies;
  private final InstantSource clock;

  FleetGrpc(
      Fleet fleet,
      Deployments deployments,
      Dispatcher dispatcher,
      Waker waker,
      Policies policies,
      InstantSource clock) {
    this.waker = waker;
    this.policies = policies;
    this.fleet = fleet;
    this.deployments = deployments;
    this.dispatcher = dispatcher;
    this.clock = clock;
  }

  @Override
  public void listNodes(ListNodesRequest request, StreamObserver<ListNodesResponse> reply) {
    ListNodesResponse.Builder response = ListNodesResponse.newBuilder();
    Map<String, Integer> running = dispatcher.running();
    for (NodeView view : fleet.nodes()) {
      String id = view.node().id();
      response.addNodes(
          WireFleet.toWire(view, deployments.stages(id), running.getOrDefault(id, 0)));
    }
    reply.onNext(response.build());
    reply.onCompleted();
  }

  @Override
  public void drainNode(DrainNodeRequest request, StreamObserver<DrainNodeResponse> reply) {
    long millis = request.getDeadlineMillis();
    if (millis < 0 || millis > LONGEST_DRAIN.toMillis()) {
      throw Status.INVALID_ARGUMENT
          .withDescription("the deadline is too far away (expected: at most a day, 1d)")
          .asRuntimeException();
    }
    fleet.drain(
        require(request.getNode()),
        clock.instant().plusMillis(millis).truncatedTo(ChronoUnit.MILLIS));
    reply.onNext(DrainNodeResponse.getDefaultInstance());
    reply.onCompleted();
  }

  @Override
  public void resumeNode(ResumeNodeRequest request, StreamObserver<ResumeNodeResponse> reply) {
    fleet.resume(require(request.getNode()));
    reply.onNext(ResumeNodeResponse.getDefaultInstance());
    reply.onCompleted();
  }

  @Override
  public void labelNode(LabelNodeRequest request, StreamObserver<LabelNodeResponse> reply) {
    try {
      fleet.label(
          require(request.getNode()),
          request.getChange().getSetMap(),
          request.getChange().getRemovedList());
    } catch (IllegalArgumentException e) {
      throw Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException();
    }
    reply.onNext(LabelNodeResponse.getDefaultInstance());
    reply.onCompleted();
  }

  @Override
  public void wakeNode(WakeNodeRequest request, StreamObserver<WakeNodeResponse> reply) {
    Node node = require(request.getNode());
    NodeView view = fleet.view(node.id()).orElseThrow();
    if (!Waker.canWake(view)) {
      throw Status.FAILED_PRECONDITION
          .withDescription(
              view.state() == NodeState.ONLINE
                  ? "node %s is online".formatted(node.name())
                  : "node %s told of no link that may wake it; turn on Wake-on-LAN there and start its agent"
                      .formatted(node.name()))
          .asRuntimeException();
    }
    waker.wake(view);
    reply.onNext(WakeNodeResponse.getDefaultInstance());
    reply.onCompleted();
  }

  @Override
  public void listPolicies(
      ListPoliciesRequest request, StreamObserver<ListPoliciesResponse> reply) {
    ListPoliciesResponse.Builder response =
        ListPoliciesResponse.newBuilder()
            .setInitial(WirePolicy.toWire(policies.initial()))
            .setAll(WirePolicy.toWire(policies.said(Policies.ALL)));
    for (NodeView view : fleet.nodes()) {
      String id = view.node().id();
      NodePolicy.Builder node =
          response
              .addNodesBuilder()
              .setNodeId(id)
              .setNode(view.node().name())
              .setOwn(WirePolicy.toWire(policies.said(id)));
      policies.owner(id).map(WirePolicy::toWire).ifPresent(node::setOwner);
    }
    reply.onNext(response.build());
    reply.onCompleted();
  }

  @Override
  public void setPolicy(SetPolicyRequest request, StreamObserver<SetPolicyResponse> reply) {
    String nodeId = request.getNode().isEmpty() ? Policies.ALL : require(request.getNode()).id();
    try {
      policies.say(nodeId, WirePolicy.fromWire(request.getPolicy()), request.getReset());
    } catch (IllegalArgumentException e) {
      throw Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException();
    }
    fleet.reconsider();
    reply.onNext(SetPolicyResponse.getDefaultInstance());
    reply.onCompleted();
  }

  private Node require(String nameOrId) {
    return fleet
        .named(nameOrId)
        .orElseThrow(
            () ->
                Status.NOT_FOUND
                    .withDescription("there is no such node; see: cloister node list")
                    .asRuntimeException());
  }
}
