package dev.cloister.coordinator.api;

import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.proto.fleet.v1.FleetServiceGrpc.FleetServiceImplBase;
import dev.cloister.proto.fleet.v1.ListNodesRequest;
import dev.cloister.proto.fleet.v1.ListNodesResponse;
import io.grpc.stub.StreamObserver;

/** The machines, for people. */
final class FleetGrpc extends FleetServiceImplBase {
  private final Fleet fleet;

  FleetGrpc(Fleet fleet) {
    this.fleet = fleet;
  }

  @Override
  public void listNodes(ListNodesRequest request, StreamObserver<ListNodesResponse> reply) {
    ListNodesResponse.Builder response = ListNodesResponse.newBuilder();
    fleet.nodes().forEach(view -> response.addNodes(WireFleet.toWire(view)));
    reply.onNext(response.build());
    reply.onCompleted();
  }
}
