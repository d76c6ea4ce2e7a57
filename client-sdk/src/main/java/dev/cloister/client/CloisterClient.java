package dev.cloister.client;

import dev.cloister.client.CloisterException.Kind;
import dev.cloister.client.admin.Administration;
import dev.cloister.identity.InvalidJoinTokenException;
import dev.cloister.identity.JoinToken;
import dev.cloister.identity.PrivateFileException;
import dev.cloister.identity.Role;
import dev.cloister.identity.enrollment.EnrollmentException;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.tls.ClusterTls;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc;
import dev.cloister.proto.catalog.v1.ListModelsRequest;
import dev.cloister.proto.fleet.v1.FleetServiceGrpc;
import dev.cloister.proto.fleet.v1.ListNodesRequest;
import dev.cloister.proto.inference.v1.InferenceServiceGrpc;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * A connection to a cluster, for as long as a program wants it. Thread-safe.
 *
 * <p>A profile is a directory with the client's identity: {@link #join} makes one from a join
 * token.
 */
public final class CloisterClient implements AutoCloseable {
  private static final long CALL_TIMEOUT_SECONDS = 15;

  private final ManagedChannel channel;

  private CloisterClient(ManagedChannel channel) {
    this.channel = channel;
  }

  /**
   * Redeems a join token and keeps the new identity in a profile, in place of any other.
   *
   * @param name what people are to call this client
   * @throws CloisterException if the token is not good or the coordinator does not answer
   */
  public static void join(String token, Path profile, String name) {
    try {
      Membership.join(JoinToken.parse(token), profile, name);
    } catch (InvalidJoinTokenException e) {
      throw new CloisterException(Kind.INVALID_REQUEST, String.valueOf(e.getMessage()), e);
    } catch (PrivateFileException e) {
      throw new CloisterException(Kind.NOT_ALLOWED, String.valueOf(e.getMessage()), e);
    } catch (EnrollmentException e) {
      throw failure(e);
    }
  }

  /**
   * Opens a connection with a profile. A certificate past half of its lifetime is renewed.
   *
   * @throws CloisterException if there is no such profile, or it cannot be used any more
   */
  public static CloisterClient open(Path profile) {
    Membership membership;
    try {
      membership =
          Membership.load(profile)
              .orElseThrow(
                  () ->
                      new CloisterException(
                          Kind.NOT_FOUND,
                          "there is no profile in "
                              + profile
                              + "; make one with: cloister join TOKEN",
                          null));
    } catch (PrivateFileException e) {
      throw new CloisterException(Kind.NOT_ALLOWED, String.valueOf(e.getMessage()), e);
    }
    requireValid(membership);
    try {
      var _ = membership.renewIfDue(Instant.now());
    } catch (EnrollmentException e) {
      throw failure(e);
    }
    return new CloisterClient(
        NettyChannelBuilder.forTarget(membership.coordinator())
            .sslContext(ClusterTls.client(membership.identity(), Role.COORDINATOR))
            .build());
  }

  private static void requireValid(Membership membership) {
    Instant end = membership.identity().current().leaf().getNotAfter().toInstant();
    if (end.isBefore(Instant.now())) {
      throw new CloisterException(
          Kind.NOT_ALLOWED,
          "the certificate of this profile expired at "
              + end
              + "; make a new profile with: cloister join TOKEN",
          null);
    }
  }

  private static CloisterException failure(EnrollmentException e) {
    Kind kind =
        switch (e.reason()) {
          case REFUSED, WRONG_COORDINATOR -> Kind.NOT_ALLOWED;
          case UNREACHABLE -> Kind.UNREACHABLE;
        };
    return new CloisterException(kind, String.valueOf(e.getMessage()), e);
  }

  /**
   * Asks and waits for the whole answer.
   *
   * @throws CloisterException if there is no answer
   */
  public ChatResponse chat(ChatRequest request) {
    try (ChatStream stream = stream(request)) {
      return stream.complete();
    }
  }

  /** Asks and returns the answer as it is made. Close the stream. */
  public ChatStream stream(ChatRequest request) {
    return new ChatStream(
        call ->
            inContext(
                call,
                () ->
                    InferenceServiceGrpc.newBlockingStub(channel).generate(Wire.toWire(request))));
  }

  private static <T> T inContext(Context call, Callable<T> work) {
    try {
      return call.call(work);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("throws no checked exception", e);
    }
  }

  /**
   * The models of the cluster, by name.
   *
   * @throws CloisterException if the coordinator does not answer
   */
  public List<ModelInfo> models() {
    return called(
        () ->
            CatalogServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(CALL_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                .listModels(ListModelsRequest.getDefaultInstance())
                .getModelsList()
                .stream()
                .map(Wire::fromWire)
                .toList());
  }

  /**
   * The machines of the cluster, by name.
   *
   * @throws CloisterException if the coordinator does not answer
   */
  public List<NodeInfo> nodes() {
    return called(
        () ->
            FleetServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(CALL_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                .listNodes(ListNodesRequest.getDefaultInstance())
                .getNodesList()
                .stream()
                .map(Wire::fromWire)
                .toList());
  }

  /** What administrators do; every call needs an administrator's profile. */
  public Administration administration() {
    return new GrpcAdministration(channel);
  }

  static <T> T called(Supplier<T> call) {
    try {
      return call.get();
    } catch (StatusRuntimeException e) {
      throw Failures.of(e);
    }
  }

  /** Ends the connection and what runs on it. */
  @Override
  public void close() {
    channel.shutdownNow();
  }
}
