package dev.cloister.coordinator.api;

import dev.cloister.coordinator.deployment.Deployments;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.proto.fleet.v1.FleetServiceGrpc.FleetServiceImplBase;
import dev.cloister.proto.fleet.v1.ListNodesRequest;
import dev.cloister.proto.fleet.v1.ListNodesResponse;
import io.grpc.stub.StreamObserver;

/** The machines, for people. */
final class FleetGrpc extends FleetServiceImplBase {
  private final Fleet fleet;
  private final Deployments deployments;

  FleetGrpc(Fleet fleet, Deployments deployments) {
    this.fleet = fleet;
    this.deployments = deployments;
  }

  @Override
  public void listNodes(ListNodesRequest request, StreamObserver<ListNodesResponse> reply) {
    ListNodesResponse.Builder response = ListNodesResponse.newBuilder();
    for (NodeView view : fleet.nodes()) {
      response.addNodes(WireFleet.toWire(view, deployments.stages(view.node().id())));
    }
    reply.onNext(response.build());
    reply.onCompleted();
  }
}
