package dev.cloister.client;

import com.google.protobuf.ByteString;
import dev.cloister.identity.Identity;
import dev.cloister.identity.MemberKey;
import dev.cloister.identity.Role;
import dev.cloister.identity.authority.CertificateAuthority;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.tls.ClusterTls;
import dev.cloister.identity.token.JoinToken;
import dev.cloister.proto.access.v1.AccessServiceGrpc;
import dev.cloister.proto.access.v1.ListApiKeysRequest;
import dev.cloister.proto.access.v1.ListApiKeysResponse;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc;
import dev.cloister.proto.catalog.v1.ConfigureModelRequest;
import dev.cloister.proto.catalog.v1.ConfigureModelResponse;
import dev.cloister.proto.catalog.v1.ListModelsRequest;
import dev.cloister.proto.catalog.v1.ListModelsResponse;
import dev.cloister.proto.catalog.v1.Model;
import dev.cloister.proto.catalog.v1.ModelOptions;
import dev.cloister.proto.catalog.v1.PlanModelRequest;
import dev.cloister.proto.catalog.v1.PlanModelResponse;
import dev.cloister.proto.catalog.v1.Replica;
import dev.cloister.proto.catalog.v1.ReplicaStage;
import dev.cloister.proto.catalog.v1.Residence;
import dev.cloister.proto.catalog.v1.Retention;
import dev.cloister.proto.enrollment.v1.EnrollRequest;
import dev.cloister.proto.enrollment.v1.EnrollResponse;
import dev.cloister.proto.enrollment.v1.EnrollmentServiceGrpc;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.Finished;
import dev.cloister.proto.inference.v1.GenerateRequest;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.InferenceServiceGrpc;
import dev.cloister.proto.inference.v1.ReasoningDelta;
import dev.cloister.proto.inference.v1.Started;
import dev.cloister.proto.inference.v1.TextDelta;
import dev.cloister.proto.inference.v1.TokenLogprob;
import dev.cloister.proto.inference.v1.TokenProbability;
import dev.cloister.proto.inference.v1.ToolCallDelta;
import dev.cloister.proto.inference.v1.Usage;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * A coordinator over real mutual TLS whose model answers "Paris is it.", unless the model asked for
 * is {@code breaks}, {@code busy}, {@code endless} or {@code calls}, which calls tools.
 */
final class FakeCluster implements AutoCloseable {
  final CountDownLatch cancelled = new CountDownLatch(1);
  final List<GenerateRequest> requests = new CopyOnWriteArrayList<>();

  private final AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
  private final CertificateAuthority authority;
  private final Server server;

  FakeCluster(Path directory) throws IOException {
    now.set(Instant.now().minus(Duration.ofDays(30)));
    authority =
        CertificateAuthority.openOrCreate(
            directory.resolve("ca"),
            "a long passphrase opens the key without delay".toCharArray(),
            now::get);
    now.set(Instant.now());
    Identity own = identity(Role.COORDINATOR, "c1");
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .sslContext(ClusterTls.server(() -> own))
            .addService(new Enrollment())
            .addService(new Inference())
            .addService(new Catalog())
            .addService(new Access())
            .build()
            .start();
  }

  String token() {
    return new JoinToken(address(), authority.rootPin(), "aaaaaaaaaa", new byte[32]).encode();
  }

  /** A profile whose certificate was issued then, for a day. */
  void profile(Path directory, Instant issued) {
    now.set(issued);
    Membership.save(directory, address(), identity(Role.CLIENT, "laptop"));
    now.set(Instant.now());
  }

  private String address() {
    return "127.0.0.1:" + server.getPort();
  }

  private Identity identity(Role role, String id) {
    KeyPair keys = MemberKey.generate();
    return new Identity(
        keys.getPrivate(),
        authority.issue(MemberKey.signingRequest(keys), role, id, Duration.ofDays(1), List.of()));
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  private final class Enrollment extends EnrollmentServiceGrpc.EnrollmentServiceImplBase {
    @Override
    public void enroll(EnrollRequest request, StreamObserver<EnrollResponse> reply) {
      EnrollResponse.Builder response = EnrollResponse.newBuilder();
      try {
        for (X509Certificate each :
            authority.issue(
                request.getSigningRequest().toByteArray(),
                Role.CLIENT,
                "laptop",
                Duration.ofDays(1),
                List.of())) {
          response.addCertificateChain(ByteString.copyFrom(each.getEncoded()));
        }
      } catch (CertificateEncodingException e) {
        throw new AssertionError(e);
      }
      reply.onNext(response.build());
      reply.onCompleted();
    }
  }

  private final class Inference extends InferenceServiceGrpc.InferenceServiceImplBase {
    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerationEvent> events) {
      requests.add(request);
      ((ServerCallStreamObserver<GenerationEvent>) events).setOnCancelHandler(cancelled::countDown);
      events.onNext(
          GenerationEvent.newBuilder().setStarted(Started.newBuilder().setNode("pc-7")).build());
      if (request.getModel().equals("calls")) {
        call(events);
        return;
      }
      text(events, "Paris");
      switch (request.getModel()) {
        case "breaks" -> fail(events, Failure.Code.CODE_NODE_LOST, "the node was lost");
        case "busy" -> fail(events, Failure.Code.CODE_NO_CAPACITY, "every node is busy");
        case "endless" -> {}
        default -> {
          text(events, " is");
          text(events, " it.");
          events.onNext(
              GenerationEvent.newBuilder()
                  .setFinished(
                      Finished.newBuilder()
                          .setReason(Finished.Reason.REASON_STOP)
                          .setUsage(
                              Usage.newBuilder()
                                  .setPromptTokens(5)
                                  .setCachedPromptTokens(2)
                                  .setCompletionTokens(3)))
                  .build());
          events.onCompleted();
        }
      }
    }

    /** Thinks, says a word with probabilities, and calls two tools. */
    private static void call(StreamObserver<GenerationEvent> events) {
      TokenProbability token =
          TokenProbability.newBuilder()
              .setId(3)
              .setText(ByteString.copyFromUtf8("Well"))
              .setLogprob((float) Math.log(0.5))
              .build();
      TokenProbability half =
          TokenProbability.newBuilder().setText(ByteString.copyFrom(new byte[] {-30})).build();
      for (String thought : List.of("hm", ", hm")) {
        send(events, e -> e.setReasoning(ReasoningDelta.newBuilder().setText(thought)));
      }
      send(
          events,
          e ->
              e.setText(
                  TextDelta.newBuilder().addLogprobs(TokenLogprob.newBuilder().setToken(half))));
      send(
          events,
          e ->
              e.setText(
                  TextDelta.newBuilder()
                      .setText("Well")
                      .addLogprobs(TokenLogprob.newBuilder().setToken(token).addTop(half))));
      send(events, e -> e.setToolCall(delta(0, "a", "weather", "{\"city\": ")));
      send(events, e -> e.setToolCall(delta(0, "", "", "\"Bonn\"}")));
      send(events, e -> e.setToolCall(delta(1, "b", "time", "{}")));
      send(
          events,
          e -> e.setFinished(Finished.newBuilder().setReason(Finished.Reason.REASON_TOOL_CALLS)));
      events.onCompleted();
    }

    private static ToolCallDelta.Builder delta(
        int index, String id, String name, String arguments) {
      return ToolCallDelta.newBuilder()
          .setIndex(index)
          .setId(id)
          .setName(name)
          .setArguments(arguments);
    }

    private static void send(
        StreamObserver<GenerationEvent> events, Consumer<GenerationEvent.Builder> event) {
      GenerationEvent.Builder builder = GenerationEvent.newBuilder();
      event.accept(builder);
      events.onNext(builder.build());
    }

    private static void text(StreamObserver<GenerationEvent> events, String piece) {
      events.onNext(
          GenerationEvent.newBuilder().setText(TextDelta.newBuilder().setText(piece)).build());
    }

    private static void fail(
        StreamObserver<GenerationEvent> events, Failure.Code code, String message) {
      events.onNext(
          GenerationEvent.newBuilder()
              .setFailed(Failure.newBuilder().setCode(code).setMessage(message))
              .build());
      events.onCompleted();
    }
  }

  private static final class Catalog extends CatalogServiceGrpc.CatalogServiceImplBase {
    private volatile ModelOptions options = ModelOptions.getDefaultInstance();
    private volatile Retention retention = Retention.getDefaultInstance();

    @Override
    public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> reply) {
      reply.onNext(
          ListModelsResponse.newBuilder()
              .addModels(
                  Model.newBuilder()
                      .setName("tiny")
                      .setSizeBytes(7)
                      .setOptions(options)
                      .setRetention(retention)
                      .addReplicas(
                          Replica.newBuilder()
                              .setNodeId("1")
                              .setNodeName("desk")
                              .setState("ready")
                              .setProgress(0.5f)
                              .setContextTokens(512)
                              .setSlots(2)
                              .setEngine("llama.cpp b4916")
                              .setFull(true)
                              .setResidentBytes(77)
                              .setStage(
                                  ReplicaStage.newBuilder()
                                      .setPlan("plan-1")
                                      .setCount(2)
                                      .setEndLayer(4)
                                      .setRelayedStreams(3)
                                      .setRelayedBytes(4_000))
                              .setResidence(
                                  Residence.newBuilder()
                                      .setWhy(Residence.Why.WHY_ASKED_FOR)
                                      .setActive(1)
                                      .setLastUsedMillis(5)
                                      .setLeaving(true))))
              .build());
      reply.onCompleted();
    }

    @Override
    public void planModel(PlanModelRequest request, StreamObserver<PlanModelResponse> reply) {
      PlanModelResponse.Builder response =
          PlanModelResponse.newBuilder()
              .setReason(
                  "split %d, context %d, slots %d"
                      .formatted(
                          request.getSplit().getStages(),
                          request.getContextTokens(),
                          request.getSlots()));
      if (request.hasSplit()) {
        response
            .getPlanBuilder()
            .setSecondsPerToken(0.75)
            .setPromptTokensPerSecond(100)
            .setTotalTokensPerSecond(20)
            .setLoadSeconds(5)
            .addStagesBuilder()
            .setNodeId("1")
            .setNodeName("desk")
            .setEndLayer(4)
            .setWeightBytes(1)
            .setKvBytes(2)
            .setComputeBytes(3)
            .setMemoryBytes(6)
            .setFreeBytes(7)
            .setSecondsPerToken(0.5)
            .setHopSeconds(0.25)
            .setRelayed(true)
            .setHopMeasured(true);
      }
      reply.onNext(response.build());
      reply.onCompleted();
    }

    @Override
    public void configureModel(
        ConfigureModelRequest request, StreamObserver<ConfigureModelResponse> reply) {
      if (request.hasOptions()) {
        options = request.getOptions();
      }
      if (request.hasRetention()) {
        retention = request.getRetention();
      }
      reply.onNext(ConfigureModelResponse.getDefaultInstance());
      reply.onCompleted();
    }
  }

  private static final class Access extends AccessServiceGrpc.AccessServiceImplBase {
    @Override
    public void listApiKeys(ListApiKeysRequest request, StreamObserver<ListApiKeysResponse> reply) {
      reply.onError(
          Status.PERMISSION_DENIED.withDescription("only admins may").asRuntimeException());
    }
  }
}
