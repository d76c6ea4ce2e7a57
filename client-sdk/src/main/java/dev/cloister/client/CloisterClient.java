package dev.cloister.client;

import dev.cloister.client.CloisterException.Kind;
import dev.cloister.client.admin.Administration;
import dev.cloister.identity.PrivateFileException;
import dev.cloister.identity.Role;
import dev.cloister.identity.enrollment.EnrollmentException;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.tls.ClusterChannel;
import dev.cloister.identity.tls.ClusterTls;
import dev.cloister.identity.token.InvalidJoinTokenException;
import dev.cloister.identity.token.JoinToken;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc;
import dev.cloister.proto.catalog.v1.ListModelsRequest;
import dev.cloister.proto.fleet.v1.FleetServiceGrpc;
import dev.cloister.proto.fleet.v1.ListNodesRequest;
import dev.cloister.proto.inference.v1.InferenceServiceGrpc;
import dev.cloister.proto.inference.v1.InferenceServiceGrpc.InferenceServiceBlockingStub;
import dev.cloister.proto.routing.v1.ExplainRequest;
import dev.cloister.proto.routing.v1.RoutingServiceGrpc;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection to a cluster, for as long as a program wants it. Thread-safe.
 *
 * <p>A profile is a directory with the client's identity: {@link #join} makes one from a join
 * token.
 */
public final class CloisterClient implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(CloisterClient.class);
  private static final long CALL_TIMEOUT_SECONDS = 15;

  private static final long RENEWAL_CHECK_MINUTES = 10;

  private final Membership membership;
  private final ManagedChannel channel;
  private final ScheduledExecutorService renewal =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("cloister-renewal").daemon().factory());

  private CloisterClient(Membership membership) {
    this.membership = membership;
    this.channel =
        ClusterChannel.to(
                membership.coordinator(),
                ClusterTls.client(membership.identity(), Role.COORDINATOR))
            .build();
    var _ =
        renewal.scheduleWithFixedDelay(
            this::renew, RENEWAL_CHECK_MINUTES, RENEWAL_CHECK_MINUTES, TimeUnit.MINUTES);
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
   * Opens a connection with a profile. A certificate past half of its lifetime is renewed, now and
   * as long as the connection is open.
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
    return new CloisterClient(membership);
  }

  /** A failure is no emergency: it is tried again long before the certificate expires. */
  private void renew() {
    try {
      var _ = membership.renewIfDue(Instant.now());
    } catch (RuntimeException e) {
      log.debug("the certificate was not renewed", e);
    }
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

  /**
   * Asks and returns the answer as it is made. Close the stream.
   *
   * @throws CloisterException if the profile has expired
   */
  public ChatStream stream(ChatRequest request) {
    requireValid(membership);
    return new ChatStream(
        call -> inContext(call, () -> inference(request).generate(Wire.toWire(request))));
  }

  private InferenceServiceBlockingStub inference(ChatRequest request) {
    InferenceServiceBlockingStub inference = InferenceServiceGrpc.newBlockingStub(channel);
    return request.timeout().map(timeout -> inference.withDeadlineAfter(timeout)).orElse(inference);
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

  /**
   * Why a request went where it went: one decision for each node that it was given to, oldest
   * first.
   *
   * @param requestId as the header {@code x-cloister-request} of an answer over HTTP tells it
   * @throws CloisterException if no such decision is known, or not any more, or the coordinator
   *     does not answer
   */
  public List<RoutingDecision> explain(String requestId) {
    return called(
        () ->
            RoutingServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(CALL_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                .explain(ExplainRequest.newBuilder().setRequestId(requestId).build())
                .getDecisionsList()
                .stream()
                .map(Wire::fromWire)
                .toList());
  }

  /** What administrators do; every call needs an administrator's profile. */
  public Administration administration() {
    return new GrpcAdministration(channel);
  }

  private <T> T called(Supplier<T> call) {
    requireValid(membership);
    try {
      return call.get();
    } catch (StatusRuntimeException e) {
      throw Failures.of(e);
    }
  }

  /** Ends the connection and what runs on it. */
  @Override
  public void close() {
    renewal.shutdownNow();
    channel.shutdownNow();
  }
}
