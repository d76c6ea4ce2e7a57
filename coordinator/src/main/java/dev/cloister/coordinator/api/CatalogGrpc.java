package dev.cloister.coordinator.api;

import com.google.protobuf.UnsafeByteOperations;
import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelName;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc.CatalogServiceImplBase;
import dev.cloister.proto.catalog.v1.ConfigureModelRequest;
import dev.cloister.proto.catalog.v1.ConfigureModelResponse;
import dev.cloister.proto.catalog.v1.FetchModelRequest;
import dev.cloister.proto.catalog.v1.ListModelsRequest;
import dev.cloister.proto.catalog.v1.ListModelsResponse;
import dev.cloister.proto.catalog.v1.ModelChunk;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The models, for people, and their bytes, for agents. */
final class CatalogGrpc extends CatalogServiceImplBase {
  private static final Logger log = LoggerFactory.getLogger(CatalogGrpc.class);

  /** Large enough that framing costs nothing, small enough for gRPC's default message limit. */
  private static final int CHUNK_BYTES = 1 << 20;

  private final Catalog catalog;
  private final Fleet fleet;

  CatalogGrpc(Catalog catalog, Fleet fleet) {
    this.catalog = catalog;
    this.fleet = fleet;
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
              .setOptions(WireOptions.toWire(model.options()));
      for (NodeView node : nodes) {
        for (Replica replica : node.replicas()) {
          if (replica.model().equals(model.name())) {
            wire.addReplicas(toWire(node, replica));
          }
        }
      }
    }
    reply.onNext(response.build());
    reply.onCompleted();
  }

  private static dev.cloister.proto.catalog.v1.Replica toWire(NodeView node, Replica replica) {
    var wire =
        dev.cloister.proto.catalog.v1.Replica.newBuilder()
            .setNodeId(node.node().id())
            .setNodeName(node.node().name());
    return switch (replica) {
      case Replica.Fetching fetching ->
          wire.setState("fetching").setProgress((float) fetching.progress()).build();
      case Replica.Loading loading ->
          wire.setState("loading").setProgress((float) loading.progress()).build();
      case Replica.Ready ready ->
          wire.setState("ready")
              .setContextTokens(ready.contextTokens())
              .setSlots(ready.slots())
              .setEngine(ready.engine())
              .setFull(ready.full())
              .build();
      case Replica.Failed failed -> wire.setState("failed").setError(failed.error()).build();
    };
  }

  @Override
  public void configureModel(
      ConfigureModelRequest request, StreamObserver<ConfigureModelResponse> reply) {
    ModelOptions options;
    try {
      options = WireOptions.fromWire(request.getOptions());
    } catch (IllegalArgumentException e) {
      throw Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException();
    }
    if (catalog.configure(request.getModel(), options).isEmpty()) {
      throw Status.NOT_FOUND
          .withDescription(
              "there is no model '%s'; see: cloister model list"
                  .formatted(ModelName.shown(request.getModel())))
          .asRuntimeException();
    }
    reply.onNext(ConfigureModelResponse.getDefaultInstance());
    reply.onCompleted();
  }

  @Override
  public void fetchModel(FetchModelRequest request, StreamObserver<ModelChunk> reply) {
    Model model =
        catalog
            .findByDigest(request.getSha256())
            .orElseThrow(
                () ->
                    Status.NOT_FOUND
                        .withDescription("no model of the catalog has this digest")
                        .asRuntimeException());
    if (request.getOffset() < 0 || request.getOffset() > model.sizeBytes()) {
      throw Status.OUT_OF_RANGE
          .withDescription("offset is past the end of the file, " + model.sizeBytes() + " bytes")
          .asRuntimeException();
    }
    new Transfer(model, request.getOffset(), (ServerCallStreamObserver<ModelChunk>) reply).begin();
  }

  /**
   * Sends a file as fast as the receiver takes it. gRPC never runs two handlers of a call at once.
   */
  private static final class Transfer {
    private final Model model;
    private final ServerCallStreamObserver<ModelChunk> reply;
    private final FileChannel file;
    private long offset;
    private boolean over;

    Transfer(Model model, long offset, ServerCallStreamObserver<ModelChunk> reply) {
      this.model = model;
      this.offset = offset;
      this.reply = reply;
      try {
        file = FileChannel.open(model.file(), StandardOpenOption.READ);
      } catch (IOException e) {
        throw lost(e.toString());
      }
    }

    void begin() {
      reply.setOnReadyHandler(this::sendWhileReady);
      reply.setOnCancelHandler(this::close);
    }

    private void sendWhileReady() {
      try {
        while (!over && reply.isReady()) {
          // A fresh buffer for each chunk: gRPC keeps it until it is on the wire.
          ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
          if (file.read(chunk, offset) < 0) {
            close();
            if (offset == model.sizeBytes()) {
              reply.onCompleted();
            } else {
              reply.onError(lost("it has " + offset + " bytes"));
            }
            return;
          }
          offset += chunk.position();
          reply.onNext(
              ModelChunk.newBuilder()
                  .setData(UnsafeByteOperations.unsafeWrap(chunk.flip()))
                  .build());
        }
      } catch (IOException e) {
        close();
        reply.onError(lost(e.toString()));
      }
    }

    private StatusRuntimeException lost(String what) {
      log.error("the file of model {} is not what it was: {}", model.name(), what);
      return Status.DATA_LOSS
          .withDescription(
              "the coordinator's file of model " + model.name() + " is gone or was changed")
          .asRuntimeException();
    }

    private void close() {
      over = true;
      try {
        file.close();
      } catch (IOException e) {
        log.debug("closing {}", model.file(), e);
      }
    }
  }
}
