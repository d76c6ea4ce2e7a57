package dev.cloister.coordinator.api;

import static dev.cloister.coordinator.fakes.TestFleet.MODEL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.identity.Role;
import dev.cloister.proto.agent.v1.CoordinatorMessage;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.Finished;
import dev.cloister.proto.inference.v1.GenerateRequest;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.InferenceServiceGrpc;
import dev.cloister.proto.inference.v1.InferenceServiceGrpc.InferenceServiceBlockingStub;
import dev.cloister.proto.inference.v1.Started;
import io.grpc.Status;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The limits that callers over gRPC name; one node with one slot takes five requests. */
@SuppressWarnings("NullAway.Init")
class CallersOnTheWireTest {
  private static final int TAKEN = 5;
  private static final GenerateRequest REQUEST =
      GenerateRequest.newBuilder()
          .setModel(MODEL)
          .setGeneration(Generation.newBuilder().setText("Say something"))
          .build();

  @TempDir private Path directory;
  private TestClusterPort cluster;
  private AgentOnTheWire agent;
  private InferenceServiceBlockingStub caller;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestClusterPort(directory);
    agent = new AgentOnTheWire(cluster.channel(cluster.join(Role.AGENT, "desk").identity())).open();
    agent.sendReady(MODEL, 1);
    await().until(() -> cluster.fleet.nodes().getFirst().ready(MODEL).isPresent());
    caller =
        InferenceServiceGrpc.newBlockingStub(
            cluster.channel(cluster.join(Role.CLIENT, "laptop").identity()));
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  @Test
  void aDeadlineEndsAnAnswerThatIsUnderWayAlsoOnItsNode() {
    Iterator<GenerationEvent> answer = withDeadline(1_000).generate(REQUEST);
    String id = agent.started();
    agent.sendEvent(
        id,
        GenerationEvent.newBuilder().setStarted(Started.newBuilder().setPromptTokens(3)).build());
    assertThat(answer.next().hasStarted()).isTrue();
    assertLate(answer);
    await().untilAsserted(() -> assertThat(cancelled()).containsExactly(id));
  }

  @Test
  void aDeadlineEndsWaitingForATurn() {
    for (int i = 0; i < TAKEN; i++) {
      cluster.dispatcher.submit(TestFleet.request("r" + i), new RecordingSink());
    }
    await().until(() -> starts().size() == TAKEN);
    assertLate(withDeadline(300).generate(REQUEST));
    // Comes behind the end of the call, on the same connection.
    assertLate(withDeadline(300).generate(REQUEST));
    RecordingSink next = new RecordingSink();
    cluster.dispatcher.submit(TestFleet.request("next"), next);
    // While others wait, one request waits on a node whose speed nobody has seen.
    for (int i = 0; i < TAKEN - 1; i++) {
      agent.sendEvent(
          "r" + i,
          GenerationEvent.newBuilder()
              .setFinished(Finished.newBuilder().setReason(Finished.Reason.REASON_STOP))
              .build());
    }
    await().until(() -> starts().size() > TAKEN);
    assertThat(starts()).hasSize(TAKEN + 1).endsWith("next");
    assertThat(cancelled()).isEmpty();
  }

  @Test
  void aDeadlineThatIsPastReachesNoNode() {
    assertLate(withDeadline(-1).generate(REQUEST));
    assertThat(starts()).isEmpty();
  }

  @Test
  void anImpossibleLimitIsRefusedInOneSentence() {
    for (int limit : new int[] {-1, (1 << 24) + 1, Integer.MAX_VALUE}) {
      GenerateRequest.Builder request = REQUEST.toBuilder();
      request.getGenerationBuilder().setMaxTokens(limit);
      Failure failure = caller.generate(request.build()).next().getFailed();
      assertThat(failure.getCode()).isEqualTo(Failure.Code.CODE_INVALID_REQUEST);
      assertThat(failure.getMessage())
          .startsWith("max_tokens")
          .contains("(expected: ")
          .hasLineCount(1);
    }
    assertThat(starts()).isEmpty();
  }

  private InferenceServiceBlockingStub withDeadline(int millis) {
    return caller.withDeadlineAfter(millis, TimeUnit.MILLISECONDS);
  }

  private static void assertLate(Iterator<GenerationEvent> answer) {
    assertThatThrownBy(answer::hasNext)
        .hasMessageStartingWith(Status.Code.DEADLINE_EXCEEDED.name());
  }

  private List<String> starts() {
    return agent.received().stream()
        .filter(CoordinatorMessage::hasStart)
        .map(message -> message.getStart().getRequestId())
        .toList();
  }

  private List<String> cancelled() {
    return agent.received().stream()
        .filter(CoordinatorMessage::hasCancel)
        .map(message -> message.getCancel().getRequestId())
        .toList();
  }
}
