package dev.cloister.coordinator.api;

import dev.cloister.coordinator.api.wire.WireFleet;
import dev.cloister.coordinator.api.wire.WireLabels;
import dev.cloister.coordinator.api.wire.WireOptions;
import dev.cloister.coordinator.api.wire.WirePlans;
import dev.cloister.coordinator.api.wire.WireRetention;
import dev.cloister.coordinator.api.wire.WireStages;
import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelContents;
import dev.cloister.coordinator.catalog.ModelName;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.catalog.Retention;
import dev.cloister.coordinator.deployment.Deployments;
import dev.cloister.coordinator.deployment.Residence;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.NodeState;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.labels.Labels;
import dev.cloister.coordinator.placement.Proposal;
import dev.cloister.coordinator.relay.Relays;
import dev.cloister.coordinator.relay.Traffic;
import dev.cloister.coordinator.residence.Why;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc.CatalogServiceImplBase;
import dev.cloister.proto.catalog.v1.ConfigureModelRequest;
import dev.cloister.proto.catalog.v1.ConfigureModelResponse;
import dev.cloister.proto.catalog.v1.DescribeStageRequest;
import dev.cloister.proto.catalog.v1.FetchModelRequest;
import dev.cloister.proto.catalog.v1.ListModelsRequest;
import dev.cloister.proto.catalog.v1.ListModelsResponse;
import dev.cloister.proto.catalog.v1.ModelChunk;
import dev.cloister.proto.catalog.v1.PlanModelRequest;
import dev.cloister.proto.catalog.v1.PlanModelResponse;
import dev.cloister.proto.catalog.v1.StageFile;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** The models, for people, and their bytes, for agents. */
final class CatalogGrpc extends CatalogServiceImplBase {
  private final Catalog catalog;
  private final ModelContents contents;
  private final Fleet fleet;
  private final Deployments deployments;
  private final Relays relays;

  CatalogGrpc(
      Catalog catalog,
      ModelContents contents,
      Fleet fleet,
      Deployments deployments,
      Relays relays) {
    this.catalog = catalog;
    this.contents = contents;
    this.fleet = fleet;
    this.deployments = deployments;
    this.relays = relays;
  }

  @Override
  public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> reply) {
    List<NodeView> nodes = fleet.nodes();
    ListModelsResponse.Builder response = ListModelsResponse.newBuilder();
    for (Model model : catalog.models()) {
      var wire =
          response
              .addModelsBuilder()
              .setName(model.name())
              .setSha256(model.sha256())
              .setSizeBytes(model.sizeBytes())
              .setCreatedAtMillis(model.createdAt().toEpochMilli())
              .setOptions(WireOptions.toWire(model.options()))
              .setObstacle(deployments.obstacle(model.name()).orElse(""))
              .setRequired(WireLabels.toWire(model.required()))
              .setRetention(WireRetention.toWire(model.retention()));
      for (NodeView node : nodes) {
        replica(node, model).ifPresent(wire::addReplicas);
      }
    }
    reply.onNext(response.build());
    reply.onCompleted();
  }

  /** What a node has of a model, or is to have. */
  private Optional<dev.cloister.proto.catalog.v1.Replica> replica(NodeView node, Model model) {
    String nodeId = node.node().id();
    Optional<Replica> replica = node.replica(model.name());
    Optional<Residence> residence = deployments.residence(nodeId, model.name());
    boolean isAwaited = residence.filter(stays -> stays.why() != Why.CONFIGURED).isPresent();
    if (replica.isEmpty() && !isAwaited) {
      return Optional.empty();
    }
    var wire =
        dev.cloister.proto.catalog.v1.Replica.newBuilder()
            .setNodeId(nodeId)
            .setNodeName(node.node().name())
            .setState(replica.map(WireFleet::state).orElse("waiting"));
    replica.ifPresent(known -> describe(node, known, wire));
    residence.map(WireRetention::toWire).ifPresent(wire::setResidence);
    return Optional.of(wire.build());
  }

  private void describe(
      NodeView node, Replica replica, dev.cloister.proto.catalog.v1.Replica.Builder wire) {
    switch (replica) {
      case Replica.Fetching fetching -> wire.setProgress((float) fetching.progress());
      case Replica.Loading loading -> wire.setProgress((float) loading.progress());
      case Replica.Staged staged -> wire.setResidentBytes(staged.residentBytes());
      case Replica.Ready ready ->
          wire.setContextTokens(ready.contextTokens())
              .setSlots(ready.slots())
              .setEngine(ready.engine())
              .setFull(ready.full())
              .setResidentBytes(ready.residentBytes());
      case Replica.Failed failed -> wire.setError(failed.error());
    }
    deployments.stages(node.node().id()).stream()
        .filter(assignment -> assignment.model().name().equals(replica.model()))
        .flatMap(assignment -> assignment.stage().stream())
        .forEach(
            stage -> {
              Traffic relayed = relays.traffic(stage.plan(), stage.index());
              wire.getStageBuilder()
                  .setPlan(stage.plan())
                  .setIndex(stage.index())
                  .setCount(stage.count())
                  .setFirstLayer(stage.firstLayer())
                  .setEndLayer(stage.endLayer())
                  .setRelayedStreams(relayed.streams())
                  .setRelayedBytes(relayed.bytes());
            });
  }

  @Override
  public void configureModel(
      ConfigureModelRequest request, StreamObserver<ConfigureModelResponse> reply) {
    String model = request.getModel();
    try {
      // What is refused changes nothing; and what is confidential is so before it is loaded anew.
      ModelOptions options = WireOptions.fromWire(request.getOptions());
      Optional<Retention> retention =
          request.hasRetention()
              ? Optional.of(WireRetention.fromWire(request.getRetention()))
              : Optional.empty();
      if (catalog.find(model).isEmpty()) {
        throw noModel(model);
      }
      if (request.hasRequired()) {
        catalog.require(
            model, request.getRequired().getSetMap(), request.getRequired().getRemovedList());
      }
      retention.ifPresent(other -> catalog.retain(model, other));
      if (request.hasOptions()) {
        catalog.configure(model, options);
      }
    } catch (IllegalArgumentException e) {
      throw Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException();
    }
    reply.onNext(ConfigureModelResponse.getDefaultInstance());
    reply.onCompleted();
  }

  private static StatusRuntimeException noModel(String name) {
    return Status.NOT_FOUND
        .withDescription(
            "there is no model '%s'; see: cloister model list".formatted(ModelName.shown(name)))
        .asRuntimeException();
  }

  @Override
  public void planModel(PlanModelRequest request, StreamObserver<PlanModelResponse> reply) {
    Model model = catalog.find(request.getModel()).orElseThrow(() -> noModel(request.getModel()));
    try {
      Proposal proposal =
          deployments
              .propose(model, WirePlans.options(model.options(), request))
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "the file of model %s cannot be read; nothing can be said of its layers"
                              .formatted(model.name())));
      reply.onNext(WirePlans.toWire(proposal));
      reply.onCompleted();
    } catch (IllegalArgumentException e) {
      throw Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException();
    }
  }

  @Override
  public void fetchModel(FetchModelRequest request, StreamObserver<ModelChunk> reply) {
    Model model = requireAllowed(request.getSha256());
    if (request.getOffset() < 0
        || request.getOffset() > model.sizeBytes()
        || request.getLength() < 0
        || request.getLength() > model.sizeBytes() - request.getOffset()) {
      throw Status.OUT_OF_RANGE
          .withDescription("that is past the end of the file, " + model.sizeBytes() + " bytes")
          .asRuntimeException();
    }
    long end =
        request.getLength() == 0 ? model.sizeBytes() : request.getOffset() + request.getLength();
    ModelTransfer.begin(
        model, request.getOffset(), end, (ServerCallStreamObserver<ModelChunk>) reply);
  }

  @Override
  public void describeStage(DescribeStageRequest request, StreamObserver<StageFile> reply) {
    Model model = requireAllowed(request.getSha256());
    try {
      reply.onNext(WireStages.describe(contents, model, request, holders(model)));
      reply.onCompleted();
    } catch (IllegalArgumentException e) {
      throw Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException();
    } catch (IOException e) {
      throw ModelTransfer.lost(model, e);
    }
  }

  /**
   * Agents that have the model or stages of it, and that the one that asks may reach. What not
   * every node may have, agents do not give to each other.
   */
  private List<String> holders(Model model) {
    if (!model.required().isEmpty()) {
      return List.of();
    }
    String caller = AccessInterceptor.caller().memberId();
    return fleet.nodes().stream()
        .filter(node -> node.state() == NodeState.ONLINE)
        .filter(node -> !node.node().id().equals(caller) && !node.peerAddress().isEmpty())
        .filter(node -> deployments.mayReach(caller, node.node().id()))
        .filter(node -> node.replica(model.name()).filter(CatalogGrpc::isHere).isPresent())
        .map(NodeView::peerAddress)
        .toList();
  }

  private static boolean isHere(Replica replica) {
    return switch (replica) {
      case Replica.Loading _, Replica.Staged _, Replica.Ready _ -> true;
      case Replica.Fetching _, Replica.Failed _ -> false;
    };
  }

  /** A model of this digest that the calling agent may have; several names may have one file. */
  private Model requireAllowed(String sha256) {
    List<Model> models =
        catalog.models().stream().filter(model -> model.sha256().equals(sha256)).toList();
    if (models.isEmpty()) {
      throw Status.NOT_FOUND
          .withDescription("no model of the catalog has this digest")
          .asRuntimeException();
    }
    Labels labels =
        fleet.view(AccessInterceptor.caller().memberId()).map(NodeView::labels).orElse(Labels.NONE);
    return models.stream()
        .filter(model -> labels.have(model.required()))
        .findFirst()
        .orElseThrow(
            () ->
                Status.PERMISSION_DENIED
                    .withDescription(
                        "this node does not have the labels that the model requires: "
                            + models.getFirst().required())
                    .asRuntimeException());
  }
}
