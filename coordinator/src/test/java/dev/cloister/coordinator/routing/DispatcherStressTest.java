package dev.cloister.coordinator.routing;

import static dev.cloister.coordinator.fakes.TestFleet.MODEL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import dev.cloister.coordinator.routing.choice.Candidate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

class DispatcherStressTest {
  private static final int CALLERS = 16;
  private static final int REQUESTS_EACH = 150;
  private static final int NODES = 4;

  private final TestFleet world = new TestFleet();
  private final Queue<FakeNodeSession> sessions = new ConcurrentLinkedQueue<>();
  private final Queue<RecordingSink> sinks = new ConcurrentLinkedQueue<>();
  private final Queue<RecordingSink> uncancelled = new ConcurrentLinkedQueue<>();

  @Test
  void amongLossesAndCancellationsNothingIsLostOrAnsweredTwice() throws Exception {
    long seed = new Random().nextLong();
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < NODES; i++) {
      nodes.add(world.ready("node" + i, session(), 100));
    }
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int caller = 0; caller < CALLERS; caller++) {
        Random random = new Random(seed + caller);
        int number = caller;
        var _ = threads.submit(() -> call(number, random));
      }
      Random random = new Random(seed - 1);
      for (int loss = 0; loss < 200; loss++) {
        Node node = nodes.get(random.nextInt(NODES));
        world.ready(node.name(), session(), 100);
      }
    }
    await("seed " + seed)
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(
            () -> {
              world.dispatcher.retry();
              assertThat(uncancelled).allMatch(sink -> sink.ended() == 1);
            });
    assertThat(sinks)
        .as("seed %d", seed)
        .hasSize(CALLERS * REQUESTS_EACH)
        .allMatch(sink -> sink.ended() <= 1)
        .allMatch(sink -> sink.started() <= 1)
        .noneMatch(RecordingSink::overlapped);
    for (Node node : nodes) {
      Candidate entry = world.dispatcher.candidates().candidate(node.id(), MODEL).orElseThrow();
      assertThat(entry.active()).as("seed %d", seed).isZero();
      assertThat(entry.pendingTokens()).as("seed %d", seed).isZero();
    }
    await("seed " + seed)
        .atMost(Duration.ofSeconds(10))
        .until(() -> sessions.stream().flatMap(s -> s.starts().stream()).allMatch(Start::isOver));
  }

  private void call(int number, Random random) {
    for (int i = 0; i < REQUESTS_EACH; i++) {
      RecordingSink sink = new RecordingSink();
      sinks.add(sink);
      ActiveRequest request =
          world.dispatcher.submit(TestFleet.request("r" + number + "-" + i), sink);
      if (random.nextInt(3) == 0) {
        request.cancel();
      } else {
        uncancelled.add(sink);
      }
    }
  }

  /** Answers on a thread of its own. */
  private FakeNodeSession session() {
    FakeNodeSession session =
        new FakeNodeSession(
            start ->
                Thread.ofVirtual()
                    .start(
                        () -> {
                          start.send(new Started(1, 0, "node"));
                          start.send(new TextDelta("a"));
                          start.send(new TextDelta("b"));
                          start.send(new Finished(FinishReason.STOP, new Usage(1, 0, 2)));
                        }));
    sessions.add(session);
    return session;
  }
}
