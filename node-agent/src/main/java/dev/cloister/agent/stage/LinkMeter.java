package dev.cloister.agent.stage;

import com.google.protobuf.ByteString;
import dev.cloister.agent.engine.IoThread;
import dev.cloister.identity.IdentitySource;
import dev.cloister.identity.ticket.InvalidTicketException;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.proto.peer.v1.EchoRequest;
import dev.cloister.proto.peer.v1.PeerServiceGrpc;
import dev.cloister.proto.relay.v1.RelayServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Measures the ways from this machine to others. Thread-safe. */
public final class LinkMeter {
  /** More is never sent at once. */
  public static final int MOST_BYTES = 4 << 20;

  private static final int LEAST_BYTES = 256 << 10;
  private static final int WARM_UP = 3;
  private static final int ECHOES = 9;
  private static final int LONGEST_REASON = 200;

  /** Of one echo, the connection included. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** What took so long is longer than the pauses of a connection that gathers speed. */
  private static final double LONG_ENOUGH_SECONDS = 0.2;

  private final PeerDialer dialer;
  private final InstantSource clock;

  /**
   * @param coordinator {@code host:port}
   * @param thread carries the connections
   */
  public LinkMeter(IdentitySource own, String coordinator, IoThread thread, InstantSource clock) {
    this.dialer = new PeerDialer(own, thread.group(), coordinator);
    this.clock = clock;
  }

  /** What was found. */
  public sealed interface Result {
    /**
     * @param bytesPerSecond 0 if that was not asked for
     */
    record Reached(double roundTripSeconds, double bytesPerSecond) implements Result {}

    /**
     * @param reason in a few words
     */
    record Unreachable(String reason) implements Result {}
  }

  /**
   * Dials and measures; blocks for seconds.
   *
   * @param node empty: the coordinator
   * @param payloadBytes how much is sent at once at most, to learn the rate; 0: not at all
   */
  public Result measure(Optional<Neighbour> node, int payloadBytes) {
    @Nullable ManagedChannel channel = null;
    try {
      channel = node.map(dialer::dial).orElseGet(dialer::dialCoordinator);
      ManagedChannel open = channel;
      return measure(
          node.isPresent()
              ? request -> echo(PeerServiceGrpc.newBlockingStub(open), request)
              : request -> echo(RelayServiceGrpc.newBlockingStub(open), request),
          Math.clamp(payloadBytes, 0, MOST_BYTES));
    } catch (StatusRuntimeException e) {
      return new Result.Unreachable(reason(e.getStatus()));
    } catch (InvalidTicketException e) {
      return new Result.Unreachable(String.valueOf(e.getMessage()));
    } finally {
      if (channel != null) {
        channel.shutdownNow();
      }
    }
  }

  /** Returns when the answer is there. */
  private interface Echo {
    void ask(EchoRequest request);
  }

  private static void echo(PeerServiceGrpc.PeerServiceBlockingStub node, EchoRequest request) {
    var _ = node.withDeadlineAfter(PATIENCE.toMillis(), TimeUnit.MILLISECONDS).echo(request);
  }

  private static void echo(RelayServiceGrpc.RelayServiceBlockingStub node, EchoRequest request) {
    var _ = node.withDeadlineAfter(PATIENCE.toMillis(), TimeUnit.MILLISECONDS).echo(request);
  }

  private Result measure(Echo echo, int mostBytes) {
    EchoRequest empty = EchoRequest.getDefaultInstance();
    for (int i = 0; i < WARM_UP; i++) {
      echo.ask(empty);
    }
    double[] seconds = new double[ECHOES];
    for (int i = 0; i < ECHOES; i++) {
      seconds[i] = seconds(echo, empty);
    }
    Arrays.sort(seconds);
    double roundTrip = seconds[ECHOES / 2];
    return new Result.Reached(roundTrip, rate(echo, mostBytes, roundTrip));
  }

  /** Ever more, as the first bytes of a connection are slow; of the last two sizes the better. */
  private double rate(Echo echo, int mostBytes, double roundTrip) {
    double best = 0;
    int bytes = Math.min(LEAST_BYTES, mostBytes);
    while (bytes > 0) {
      double took =
          seconds(
              echo,
              EchoRequest.newBuilder().setPayload(ByteString.copyFrom(new byte[bytes])).build());
      best = Math.max(best, bytes / Math.max(took - roundTrip, took / 10));
      bytes = took > LONG_ENOUGH_SECONDS || bytes == mostBytes ? 0 : Math.min(4 * bytes, mostBytes);
    }
    return best;
  }

  private double seconds(Echo echo, EchoRequest request) {
    Instant began = clock.instant();
    echo.ask(request);
    return Duration.between(began, clock.instant()).toNanos() / 1e9;
  }

  private static String reason(Status status) {
    if (status.getCode() == Status.Code.DEADLINE_EXCEEDED) {
      return "no answer within " + PATIENCE.toSeconds() + " s";
    }
    String reason = StageJoint.describe(status);
    return reason.substring(0, Math.min(LONGEST_REASON, reason.length()));
  }
}
