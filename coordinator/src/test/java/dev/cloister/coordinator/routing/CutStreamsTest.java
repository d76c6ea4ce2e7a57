package dev.cloister.coordinator.routing;

import static dev.cloister.coordinator.fakes.TestFleet.MODEL;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.inference.Generation;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.inference.Sampling;
import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.coordinator.inference.prompt.Prompt;
import dev.cloister.coordinator.labels.Labels;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/**
 * One caller that always has many streams, of which it cuts every other one, and a node with a few
 * slots. What waits has its turn within 25 seconds.
 */
class CutStreamsTest {
  private static final int STREAMS = 60;
  private static final int SLOTS = 4;
  private static final int ANSWER_TOKENS = 30;
  private static final int TOKENS_UNTIL_CUT = 3;

  private final TestFleet world = new TestFleet();
  private final FakeNodeSession node = new FakeNodeSession();
  private final RecordingSink sink = new RecordingSink();
  private final Map<String, ActiveRequest> streams = new HashMap<>();
  private final Map<String, Integer> made = new HashMap<>();
  private int submitted;

  @Test
  void noneIsRefusedWhoseTurnComesInTime() {
    world.ready("desk", node, SLOTS);
    for (int i = 0; i < STREAMS; i++) {
      submit();
    }
    for (int tick = 0; tick < 1_200; tick++) {
      world.clock.advance(Duration.ofMillis(100));
      node.starts().stream()
          .filter(start -> !start.isOver())
          .limit(SLOTS)
          .toList()
          .forEach(this::goOn);
      world.dispatcher.retry();
    }
    assertThat(sink.failure().map(Failed::message)).isEmpty();
    assertThat(sink.ended()).isGreaterThan(100);
  }

  /** Makes a token; where it was the last one that anybody wanted, another stream is asked for. */
  private void goOn(Start start) {
    String id = start.request().id();
    int tokens = made.merge(id, 1, Integer::sum);
    if (tokens == 1) {
      start.send(new Started(3, 0, "desk"));
    }
    start.send(new TextDelta("word"), tokens);
    if (tokens == ANSWER_TOKENS) {
      start.send(new Finished(FinishReason.LENGTH, new Usage(3, 0, tokens)));
      submit();
    } else if (tokens == TOKENS_UNTIL_CUT && Integer.parseInt(id) % 2 == 0) {
      Objects.requireNonNull(streams.get(id)).cancel();
      submit();
    }
  }

  private void submit() {
    String id = String.valueOf(++submitted);
    ActiveRequest stream =
        world.dispatcher.submit(
            new GenerationRequest(
                id,
                MODEL,
                Tenant.ofApiKey("k", Labels.NONE),
                new Generation(
                    new Prompt.Text("Say something"), Sampling.DEFAULT, ANSWER_TOKENS, List.of())),
            sink);
    streams.put(id, stream);
  }
}
