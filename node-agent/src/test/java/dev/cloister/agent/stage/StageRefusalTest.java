package dev.cloister.agent.stage;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.cloister.identity.Identity;
import dev.cloister.identity.Role;
import dev.cloister.identity.ticket.KeyHash;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.ticket.PlanTicket;
import dev.cloister.identity.ticket.TicketSigner;
import dev.cloister.proto.engine.v1.StageFrame;
import dev.cloister.proto.engine.v1.Step;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Streams that enrolled machines must not open. What runs is not disturbed by any of them. */
@Timeout(60)
class StageRefusalTest {
  private static final String PLAN = "p1";
  private static final int TARGET = 1;

  private final TestRing ring;

  StageRefusalTest(@TempDir Path directory) throws IOException {
    ring = new TestRing(directory, 3, Duration.ofSeconds(2));
  }

  @BeforeEach
  void aRingRuns() throws InterruptedException {
    ring.connect(PLAN, 2);
    assertTheRingRuns();
  }

  @AfterEach
  void itStillRuns() throws InterruptedException {
    assertTheRingRuns();
    assertThat(ring.nodes.getFirst().engine().ends).isEmpty();
    ring.close();
  }

  @Test
  void withoutATicket() throws Exception {
    assertRefused(member(0), null, "the stream has no ticket");
  }

  @Test
  void withATicketThatAnAgentSigned() throws Exception {
    byte[] forged = new TicketSigner(() -> member(0)).sign(ring.ticket(PLAN, 2, 0));
    assertRefused(member(0), forged, "(expected role: coordinator)");
  }

  @Test
  void withATicketThatHasExpired() throws Exception {
    assertRefused(
        member(0), ring.sign(ring.ticket(PLAN, 2, 0, Instant.now().minusMillis(1))), "expired at");
  }

  @Test
  void withAnotherNodesTicket() throws Exception {
    assertRefused(member(2), ring.sign(ring.ticket(PLAN, 2, 0)), "is node node-0's");
  }

  @Test
  void underTheNodesNameWithAnotherKey() throws Exception {
    assertRefused(
        ring.identity(Role.AGENT, "node-0"),
        ring.sign(ring.ticket(PLAN, 2, 0)),
        "is node node-0's, with another key");
  }

  @Test
  void toAStageThatIsNotTheNextOne() throws Exception {
    assertRefused(member(2), ring.sign(ring.ticket(PLAN, 2, 2)), "is on node node-0, not on this");
  }

  @Test
  void fromAStageThatIsNotTheOneBefore() throws Exception {
    PlanTicket last = ring.ticket(PLAN, 2, 2);
    PlanTicket misled =
        new PlanTicket(
            PLAN,
            2,
            TestRing.SHA256,
            2,
            3,
            2,
            3,
            last.holder(),
            last.previous(),
            ring.nodes.get(TARGET).neighbour(),
            last.expiresAt());
    assertRefused(member(2), ring.sign(misled), "stage 2 of plan p1 is not the one before stage 1");
  }

  @Test
  void ofAnOldEpoch() throws Exception {
    assertRefused(
        member(0), ring.sign(ring.ticket(PLAN, 1, 0)), "epoch 1 of plan p1, which is in epoch 2");
  }

  @Test
  void ofAnEpochThatHasItsStream() throws Exception {
    assertRefused(
        member(0), ring.sign(ring.ticket(PLAN, 2, 0)), "epoch 2 of plan p1 has had its stream");
  }

  @Test
  void ofAPlanThatThisNodeHasNoPartIn() throws Exception {
    assertRefused(member(0), ring.sign(ring.ticket("p9", 1, 0)), "no ticket of epoch 1 of plan p9");
  }

  @Test
  void asAnybodyButAnAgent() throws Exception {
    for (Role role : Set.of(Role.CLIENT, Role.ADMIN, Role.COORDINATOR)) {
      Status end =
          ring.openStream(
              ring.identity(role, "x1"),
              ring.sign(ring.ticket(PLAN, 2, 0)),
              ring.nodes.get(TARGET).neighbour(),
              frame(10));
      assertThat(end.getCode()).as("%s", role).isEqualTo(Status.Code.UNAVAILABLE);
    }
  }

  @Test
  void withAFrameOf64MiB() throws Exception {
    InputStream large = frame(64 << 20);
    ring.connect("p2", 1, TARGET);
    Status end =
        ring.openStream(
            member(0),
            ring.sign(ring.ticket("p2", 1, 0)),
            ring.nodes.get(TARGET).neighbour(),
            large);
    assertThat(end.isOk()).isFalse();
    assertThat(end.getCode()).isNotEqualTo(Status.Code.PERMISSION_DENIED);
  }

  @Test
  void toANodeThatHasAnotherKeyThanTheTicketSays() throws Exception {
    Neighbour target = ring.nodes.get(TARGET).neighbour();
    Neighbour another =
        new Neighbour(target.nodeId(), Set.of(KeyHash.of(member(2).leaf())), target.address());
    Status end = ring.openStream(member(0), null, another, frame(10));
    assertThat(end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(end.getCause())
        .rootCause()
        .hasMessageContaining("has another key than was expected");
  }

  private void assertRefused(Identity caller, byte @Nullable [] ticket, String why)
      throws Exception {
    Status end =
        ring.openStream(caller, ticket, ring.nodes.get(TARGET).neighbour(), frame(100_000));
    assertThat(end.getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(end.getDescription()).contains(why).doesNotContain("\n");
  }

  private Identity member(int node) {
    return ring.nodes.get(node).identity();
  }

  private void assertTheRingRuns() throws InterruptedException {
    StageEngine first = ring.nodes.getFirst().engine();
    first.send(StageFrame.newBuilder().setNumber(7).build());
    StageFrame back = first.kept.poll(20, TimeUnit.SECONDS);
    assertThat(back).isNotNull();
    assertThat(back.getNumber()).isEqualTo(7);
  }

  private static InputStream frame(int bytes) {
    return new ByteArrayInputStream(
        StageFrame.newBuilder()
            .setNumber(1)
            .setStep(Step.newBuilder().setHidden(ByteString.copyFrom(new byte[bytes])))
            .build()
            .toByteArray());
  }
}
