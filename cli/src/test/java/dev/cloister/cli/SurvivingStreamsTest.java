package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.collect.ConcurrentHashMultiset;
import com.google.common.collect.Multiset;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Streams whose node is lost while they run, on real processes: callers see neither a gap nor a
 * repetition nor an error.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SurvivingStreamsTest {
  private static final int STREAMS = 20;

  private TestCluster cluster;
  private List<Streamed> undisturbed;

  /** What one caller saw. */
  private record Streamed(String text, String finish, int completionTokens) {}

  @BeforeAll
  void start(@TempDir Path directory) {
    cluster = new TestCluster(directory);
    cluster.join("desk");
    cluster.join("rack");
    cluster.awaitReady("desk", "rack");
    undisturbed =
        all(ConcurrentHashMultiset.create()).stream().map(CompletableFuture::join).toList();
    assertThat(undisturbed)
        .allSatisfy(answer -> assertThat(answer.completionTokens()).isGreaterThan(20));
  }

  @AfterAll
  void stop() {
    cluster.close();
  }

  @RepeatedTest(3)
  void anAgentThatIsKilledCostsNothing() {
    surviving("desk", () -> cluster.agent("desk").kill());
    cluster.restart("desk");
    cluster.awaitReady("desk");
  }

  @RepeatedTest(2)
  void anEngineThatIsKilledCostsNothing() {
    surviving("rack", () -> cluster.engine("rack").destroyForcibly());
    cluster.awaitReady("rack");
  }

  @Test
  void anAgentThatFallsSilentCostsNothing() {
    surviving("desk", () -> cluster.agent("desk").signal("STOP"));
    cluster.agent("desk").signal("CONT");
    cluster.awaitReady("desk");
  }

  @Test
  void anAgentThatIsStoppedInGoodOrderCostsNothing() {
    surviving("desk", () -> cluster.agent("desk").terminate());
    assertThat(cluster.agent("desk").awaitExit(Duration.ofSeconds(10))).isEqualTo(143);
    cluster.restart("desk");
    cluster.awaitReady("desk");
  }

  /** Has all streams run, and something happen to a node while it answers. */
  private void surviving(String node, Runnable loss) {
    List<String> before = moved(node);
    Multiset<String> pieces = ConcurrentHashMultiset.create();
    List<CompletableFuture<Streamed>> answers = all(pieces);
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .pollInterval(Duration.ofMillis(1))
        .until(() -> pieces.count(node) > 60);
    loss.run();
    assertThat(answers.stream().map(CompletableFuture::join).toList()).isEqualTo(undisturbed);
    assertThat(moved(node))
        .as("answers that went on behind tokens")
        .filteredOn(line -> !before.contains(line))
        .anyMatch(line -> !line.endsWith(" 0 tokens"));
  }

  /** What the coordinator said of answers that left a node. */
  private List<String> moved(String node) {
    return cluster.coordinatorLog().stream()
        .filter(line -> line.contains(node + " was lost; another node goes on behind"))
        .toList();
  }

  private List<CompletableFuture<Streamed>> all(Multiset<String> pieces) {
    List<CompletableFuture<Streamed>> answers = new ArrayList<>();
    for (int i = 0; i < STREAMS; i++) {
      String question = "Count from 1 to " + (20 + i) + ".";
      CompletableFuture<Streamed> answer = new CompletableFuture<>();
      Thread.ofVirtual()
          .start(
              () -> {
                try {
                  answer.complete(stream(question, pieces));
                } catch (RuntimeException | AssertionError e) {
                  answer.completeExceptionally(e);
                }
              });
      answers.add(answer);
    }
    return answers;
  }

  private Streamed stream(String question, Multiset<String> pieces) {
    HttpResponse<Stream<String>> response =
        cluster.send(
            "/v1/chat/completions",
            TestCluster.question(question)
                .replaceFirst(
                    "\\{", "{\"stream\":true,\"stream_options\":{\"include_usage\":true},"),
            HttpResponse.BodyHandlers.ofLines());
    assertThat(response.statusCode()).isEqualTo(200);
    String node = response.headers().firstValue("x-cloister-node").orElseThrow();
    StringBuilder text = new StringBuilder();
    List<String> finish = new ArrayList<>();
    List<Integer> completionTokens = new ArrayList<>();
    List<String> roles = new ArrayList<>();
    response
        .body()
        .filter(line -> line.startsWith("data: {"))
        .forEach(
            line -> {
              JsonNode chunk = TestCluster.json(line.substring("data: ".length()));
              assertThat(chunk.has("error")).as(line).isFalse();
              JsonNode choice = chunk.path("choices").path(0);
              text.append(choice.path("delta").path("content").asText());
              if (choice.path("delta").has("role")) {
                roles.add(choice.path("delta").path("role").asText());
              }
              if (choice.path("finish_reason").isTextual()) {
                finish.add(choice.path("finish_reason").asText());
              }
              if (chunk.path("usage").isObject()) {
                completionTokens.add(chunk.path("usage").path("completion_tokens").asInt());
              }
              pieces.add(node);
            });
    assertThat(roles).hasSize(1);
    assertThat(finish).hasSize(1);
    assertThat(completionTokens).hasSize(1);
    return new Streamed(text.toString(), finish.getFirst(), completionTokens.getFirst());
  }
}
