package dev.cloister.coordinator.gateway;

import static dev.cloister.coordinator.gateway.TestGateway.CHAT;
import static dev.cloister.coordinator.gateway.TestGateway.COMPLETIONS;
import static dev.cloister.coordinator.gateway.TestGateway.HELLO;
import static dev.cloister.coordinator.gateway.TestGateway.HELLO_STREAM;
import static dev.cloister.coordinator.gateway.TestGateway.chunks;
import static dev.cloister.coordinator.gateway.TestGateway.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several choices for one request: each is a generation of its own. */
@Timeout(60)
class OpenAiChoicesTest {
  private static final String THREE = "{\"n\":3,\"seed\":40,";

  @AutoClose private final TestGateway gateway;

  OpenAiChoicesTest(@TempDir Path directory) throws Exception {
    gateway = new TestGateway(directory);
  }

  @Test
  void eachChoiceIsAGenerationWithASeedAndANameOfItsOwn() throws Exception {
    HttpResponse<String> response = gateway.post(CHAT, HELLO.replaceFirst("\\{", THREE));
    String id = response.headers().firstValue("x-request-id").orElseThrow();
    assertThat(gateway.session.starts())
        .extracting(start -> start.request().id())
        .containsExactlyInAnyOrder(id, id + "-1", id + "-2");
    assertThat(gateway.session.starts())
        .extracting(start -> start.generation().sampling().seed())
        .containsExactlyInAnyOrder(OptionalLong.of(40), OptionalLong.of(41), OptionalLong.of(42));
  }

  @Test
  void theGreatestSeedIsFollowedByASeed() throws Exception {
    gateway.post(CHAT, HELLO.replaceFirst("\\{", "{\"n\":2,\"seed\":" + Long.MAX_VALUE + ","));
    assertThat(gateway.session.starts())
        .extracting(start -> start.generation().sampling().seed())
        .containsExactlyInAnyOrder(OptionalLong.of(Long.MAX_VALUE), OptionalLong.of(0));
  }

  @Test
  void wholeChoicesStandInTheirOrderAndThePromptCountsOnce() throws Exception {
    gateway.script(OpenAiChoicesTest::saySeed);
    JsonNode answer = json(gateway.post(CHAT, HELLO.replaceFirst("\\{", THREE)).body());
    assertThat(answer.path("choices"))
        .extracting(choice -> choice.path("index").asInt() + choice.at("/message/content").asText())
        .containsExactly("0seed 40", "1seed 41", "2seed 42");
    assertThat(answer.path("usage"))
        .isEqualTo(
            json(
                "{\"prompt_tokens\":7,\"completion_tokens\":6,\"total_tokens\":13,"
                    + "\"prompt_tokens_details\":{\"cached_tokens\":0}}"));
  }

  @Test
  void aCompletionHasChoicesAsWell() throws Exception {
    gateway.script(OpenAiChoicesTest::saySeed);
    String body = "{\"model\":\"tiny\",\"prompt\":\"x\",\"n\":2,\"best_of\":2,\"seed\":1}";
    assertThat(json(gateway.post(COMPLETIONS, body).body()).path("choices"))
        .extracting(choice -> choice.path("text").asText())
        .containsExactly("seed 1", "seed 2");
  }

  @Test
  void streamedChoicesSayWhichTheyAreAndEndTogether() throws Exception {
    gateway.script(OpenAiChoicesTest::saySeed);
    String body =
        HELLO_STREAM.replaceFirst("\\{", THREE + "\"stream_options\":{\"include_usage\":true},");
    List<JsonNode> chunks = chunks(gateway.post(CHAT, body).body());
    for (int index = 0; index < 3; index++) {
      int choice = index;
      assertThat(
              chunks.stream()
                  .filter(chunk -> !chunk.path("choices").isEmpty())
                  .filter(chunk -> chunk.at("/choices/0/index").asInt() == choice)
                  .map(
                      chunk ->
                          chunk.at("/choices/0/delta/content").asText()
                              + chunk.at("/choices/0/finish_reason").asText()))
          .containsExactly("null", "seed null", (40 + choice) + "null", "stop");
    }
    assertThat(chunks).hasSize(13);
    assertThat(chunks.getLast().at("/usage/completion_tokens").asInt()).isEqualTo(6);
    assertThat(chunks.getLast().at("/usage/prompt_tokens").asInt()).isEqualTo(7);
  }

  @Test
  void theFailureOfOneChoiceEndsThemAll() throws Exception {
    for (String body : List.of(HELLO, HELLO_STREAM)) {
      int before = gateway.session.cancelled().size();
      CyclicBarrier allStarted = new CyclicBarrier(3);
      gateway.script(
          start -> {
            start.send(new Started(7, 0, "desk"));
            start.send(new TextDelta("a"));
            meet(allStarted);
            if (start.request().id().endsWith("-1")) {
              start.send(new Failed(FailureCode.INTERNAL, "the engine failed"));
            }
          });
      HttpResponse<String> response = gateway.post(CHAT, body.replaceFirst("\\{", THREE));
      if (body.equals(HELLO)) {
        assertThat(response.statusCode()).isEqualTo(500);
      } else {
        assertThat(response.body())
            .contains("\"code\":\"internal_error\"")
            .doesNotContain("[DONE]");
      }
      await().until(() -> gateway.session.cancelled().size() == before + 2);
    }
  }

  @Test
  void aCallerThatLeavesCancelsEveryChoice() throws Exception {
    gateway.script(start -> start.send(new Started(7, 0, "desk")));
    CompletableFuture<HttpResponse<String>> answer =
        gateway
            .client()
            .sendAsync(
                gateway
                    .request(CHAT)
                    .POST(BodyPublishers.ofString(HELLO_STREAM.replaceFirst("\\{", THREE)))
                    .build(),
                BodyHandlers.ofString());
    await().until(() -> gateway.session.starts().size() == 3);
    answer.cancel(true);
    await().until(() -> gateway.session.cancelled().size() == 3);
  }

  @Test
  void eightChoicesWrittenAtOnceByAsManyThreadsAreWhole() throws Exception {
    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    gateway.script(
        start -> {
          start.send(new Started(7, 0, "desk"));
          for (int i = 0; i < 100; i++) {
            start.send(new TextDelta(i + " "));
          }
          start.send(new Finished(FinishReason.STOP, new Usage(7, 0, 100)));
        });
    for (int i = 0; i < 10; i++) {
      answers.add(
          gateway
              .client()
              .sendAsync(
                  gateway
                      .request(CHAT)
                      .POST(BodyPublishers.ofString(HELLO_STREAM.replaceFirst("\\{", "{\"n\":8,")))
                      .build(),
                  BodyHandlers.ofString()));
    }
    for (CompletableFuture<HttpResponse<String>> answer : answers) {
      assertThat(chunks(answer.get(30, TimeUnit.SECONDS).body())).hasSize(8 * 102);
    }
  }

  /** Answers with the seed it is asked with, in two pieces. */
  private static void saySeed(Start start) {
    long seed = start.generation().sampling().seed().orElse(-1);
    start.send(new Started(7, 0, "desk"));
    start.send(new TextDelta("seed "));
    start.send(new TextDelta(String.valueOf(seed)));
    start.send(new Finished(FinishReason.STOP, new Usage(7, seed == 40 ? 0 : 7, 2)));
  }

  private static void meet(CyclicBarrier barrier) {
    try {
      barrier.await(20, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}
