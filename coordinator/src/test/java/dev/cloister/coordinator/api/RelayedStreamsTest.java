package dev.cloister.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.cloister.coordinator.relay.Traffic;
import dev.cloister.identity.Identity;
import dev.cloister.identity.Role;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.ticket.KeyHash;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.ticket.PlanTicket;
import dev.cloister.identity.ticket.TicketSigner;
import dev.cloister.proto.engine.v1.StageFrame;
import dev.cloister.proto.engine.v1.Step;
import dev.cloister.proto.peer.v1.StageReceipt;
import dev.cloister.proto.relay.v1.ReceiveRequest;
import dev.cloister.proto.relay.v1.RelayServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The stream of desk, which cannot dial rack, to rack; and what others may not do with it. */
@SuppressWarnings("NullAway.Init")
@Timeout(60)
class RelayedStreamsTest {
  private static final MethodDescriptor<StageFrame, StageReceipt> SEND =
      RelayServiceGrpc.getSendMethod();
  private static final MethodDescriptor<ReceiveRequest, StageFrame> RECEIVE =
      RelayServiceGrpc.getReceiveMethod();
  private static final int MIB = 1 << 20;

  @TempDir private Path directory;
  private TestClusterPort cluster;
  private Membership desk;
  private Membership rack;
  private AgentOnTheWire rackSession;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestClusterPort(directory);
    desk = cluster.join(Role.AGENT, "desk");
    rack = cluster.join(Role.AGENT, "rack");
    var _ = new AgentOnTheWire(cluster.channel(desk.identity())).open();
    rackSession = new AgentOnTheWire(cluster.channel(rack.identity())).open();
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  /** An agent's half. */
  private final class Half<Q, S> extends ClientCall.Listener<S> {
    final BlockingQueue<S> received = new LinkedBlockingQueue<>();
    final CompletableFuture<Status> end = new CompletableFuture<>();
    final ClientCall<Q, S> call;

    Half(Membership agent, MethodDescriptor<Q, S> method, byte @Nullable [] ticket) {
      call = cluster.channel(agent.identity()).newCall(method, CallOptions.DEFAULT);
      Metadata headers = new Metadata();
      if (ticket != null) {
        headers.put(
            Metadata.Key.of("cloister-ticket-bin", Metadata.BINARY_BYTE_MARSHALLER), ticket);
      }
      call.start(this, headers);
    }

    @Override
    public void onMessage(S message) {
      received.add(message);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      end.complete(status);
    }

    Status end() throws Exception {
      return end.get(20, TimeUnit.SECONDS);
    }
  }

  private Half<StageFrame, StageReceipt> sender(Membership agent, byte @Nullable [] ticket) {
    Half<StageFrame, StageReceipt> half = new Half<>(agent, SEND, ticket);
    half.call.request(1);
    return half;
  }

  private Half<ReceiveRequest, StageFrame> receiver(Membership agent, byte @Nullable [] ticket) {
    Half<ReceiveRequest, StageFrame> half = new Half<>(agent, RECEIVE, ticket);
    half.call.sendMessage(ReceiveRequest.getDefaultInstance());
    half.call.halfClose();
    return half;
  }

  private static Neighbour neighbour(Membership agent) {
    Identity own = agent.identity().current();
    return new Neighbour(own.id().memberId(), Set.of(KeyHash.of(own.leaf())), "10.0.0.1:7444");
  }

  /**
   * Of desk for stage 0, of rack for stage 1; only from desk to rack the coordinator is between.
   */
  private PlanTicket ticket(int stage, long epoch, Instant expiry) {
    Neighbour holder = neighbour(stage == 0 ? desk : rack);
    Neighbour other = neighbour(stage == 0 ? rack : desk);
    return new PlanTicket(
        "plan-1",
        epoch,
        "ab".repeat(32),
        stage,
        2,
        stage,
        stage + 1,
        holder,
        other.relayed(stage == 1),
        other.relayed(stage == 0),
        expiry.truncatedTo(ChronoUnit.MILLIS));
  }

  private byte[] signed(int stage) {
    return cluster.signer.sign(ticket(stage, 1, Instant.now().plusSeconds(60)));
  }

  private static StageFrame frame(int number, int bytes) {
    return StageFrame.newBuilder()
        .setNumber(number)
        .setStep(Step.newBuilder().setHidden(ByteString.copyFrom(new byte[bytes])))
        .build();
  }

  private Traffic traffic() {
    return cluster.relays.traffic("plan-1", 0);
  }

  @Test
  void whatOneAgentSendsTheOtherReceivesInOrderAndItIsCounted() throws Exception {
    var to = receiver(rack, signed(1));
    var from = sender(desk, signed(0));
    to.call.request(100);
    for (int i = 1; i <= 100; i++) {
      from.call.sendMessage(frame(i, i * 1_000));
    }
    for (int i = 1; i <= 100; i++) {
      assertThat(to.received.poll(20, TimeUnit.SECONDS)).isEqualTo(frame(i, i * 1_000));
    }
    assertThat(traffic())
        .isEqualTo(
            new Traffic(
                1, IntStream.rangeClosed(1, 100).mapToLong(i -> size(frame(i, i * 1_000))).sum()));
  }

  private static int size(StageFrame frame) {
    return frame.getSerializedSize();
  }

  @Test
  void aReceiverThatTakesNothingHoldsTheSenderUp() {
    var from = sender(desk, signed(0));
    var to = receiver(rack, signed(1));
    await().until(() -> traffic().streams() == 1);
    for (int i = 1; i <= 64; i++) {
      from.call.sendMessage(frame(i, MIB - 100));
    }
    await().during(Duration.ofMillis(300)).until(() -> traffic().bytes() < 4L * MIB);
    to.call.request(64);
    await().until(() -> traffic().bytes() > 60L * MIB && to.received.size() == 64);
  }

  @Test
  void theEndOfOneHalfEndsTheOther() throws Exception {
    var from = sender(desk, signed(0));
    var to = receiver(rack, signed(1));
    await().until(() -> traffic().streams() == 1);
    from.call.cancel("enough", null);
    assertThat(to.end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);

    byte[] next = cluster.signer.sign(ticket(0, 2, Instant.now().plusSeconds(60)));
    var again = sender(desk, next);
    var receiver = receiver(rack, cluster.signer.sign(ticket(1, 2, Instant.now().plusSeconds(60))));
    await().until(() -> traffic().streams() == 2);
    receiver.call.cancel("enough", null);
    assertThat(again.end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertRefused(sender(desk, next), "epoch 2 of plan plan-1 has had this stream of stage 0");
  }

  @Test
  void aNodeThatIsLostEndsItsStreams() throws Exception {
    var from = sender(desk, signed(0));
    var to = receiver(rack, signed(1));
    await().until(() -> traffic().streams() == 1);
    cluster.relays.sweep();
    assertThat(to.end).isNotDone();
    rackSession.goodbye();
    await().until(() -> cluster.fleet.session(neighbour(rack).nodeId()).isEmpty());
    cluster.relays.sweep();
    assertThat(from.end().getDescription()).endsWith("is gone");
    assertThat(to.end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void aHalfThatStaysAloneIsEndedAndItsTicketIsUsedUp() throws Exception {
    var from = sender(desk, signed(0));
    cluster.advance(Duration.ofSeconds(9));
    cluster.relays.sweep();
    assertThat(from.end).isNotDone();
    await()
        .until(
            () -> {
              cluster.advance(Duration.ofSeconds(1));
              cluster.relays.sweep();
              return from.end.isDone();
            });
    assertThat(from.end())
        .extracting(Status::getDescription)
        .isEqualTo("the other agent did not open its half");
    assertRefused(receiver(rack, signed(1)), "has had this stream");
    assertThat(traffic()).isEqualTo(Traffic.NONE);
  }

  @Test
  void withoutARightNothingIsOpened() throws Exception {
    assertRefused(sender(desk, null), "the stream has no ticket");
    assertRefused(sender(desk, new byte[] {1}), "the ticket cannot be read");
    assertRefused(
        sender(
            desk,
            new TicketSigner(desk.identity()).sign(ticket(0, 1, Instant.now().plusSeconds(60)))),
        "(expected role: coordinator)");
    assertRefused(
        sender(desk, cluster.signer.sign(ticket(0, 1, Instant.now().minusMillis(1)))),
        "expired at");
    assertRefused(sender(rack, signed(0)), "with another key");
    assertRefused(receiver(desk, signed(1)), "with another key");
    assertRefused(sender(rack, signed(1)), "the ticket is for a stream straight to node");
    assertRefused(receiver(desk, signed(0)), "the ticket is for a stream straight from node");
    Membership laptop = cluster.join(Role.CLIENT, "laptop");
    assertRefused(sender(laptop, signed(0)), "role client may not call");
    assertThat(traffic()).isEqualTo(Traffic.NONE);
  }

  @Test
  void aSecondHalfDoesNotDisturbTheFirst() throws Exception {
    var to = receiver(rack, signed(1));
    var from = sender(desk, signed(0));
    // Calls are taken on threads of their own: what comes through shows that these two came first.
    to.call.request(2);
    from.call.sendMessage(frame(1, 10));
    assertThat(to.received.poll(20, TimeUnit.SECONDS)).isEqualTo(frame(1, 10));

    assertRefused(sender(desk, signed(0)), "epoch 1 of plan plan-1 has had this stream of stage 0");
    assertRefused(receiver(rack, signed(1)), "has had this stream of stage 1");

    from.call.sendMessage(frame(2, 10));
    assertThat(to.received.poll(20, TimeUnit.SECONDS)).isEqualTo(frame(2, 10));
  }

  private static void assertRefused(Half<?, ?> half, String why) throws Exception {
    assertThat(half.end().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(half.end().getDescription()).contains(why);
  }
}
