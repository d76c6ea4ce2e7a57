package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.collect.Multiset;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** Many callers whose answers are streamed. */
final class TestStreams {
  private static final int STREAMS = 20;

  /** Tokens; no answer is as long. */
  private static final int LONG = 400;

  /** Questions that differ. */
  private static final int QUESTIONS = 20;

  private TestStreams() {}

  /** What one caller saw. */
  record Streamed(String text, String finish, int completionTokens) {}

  /**
   * Has callers ask all at once.
   *
   * @param pieces is given the name of the answering node for each piece of an answer
   */
  static List<CompletableFuture<Streamed>> all(TestCluster cluster, Multiset<String> pieces) {
    return all(cluster, STREAMS, LONG, pieces);
  }

  /** The same with so many callers, whose answers have so many tokens at most. */
  static List<CompletableFuture<Streamed>> all(
      TestCluster cluster, int streams, int maxTokens, Multiset<String> pieces) {
    List<CompletableFuture<Streamed>> answers = new ArrayList<>();
    for (int i = 0; i < streams; i++) {
      String question = "Count from 1 to " + (20 + i % QUESTIONS) + ".";
      CompletableFuture<Streamed> answer = new CompletableFuture<>();
      Thread.ofVirtual()
          .start(
              () -> {
                try {
                  answer.complete(stream(cluster, question, maxTokens, pieces));
                } catch (RuntimeException | AssertionError e) {
                  answer.completeExceptionally(e);
                }
              });
      answers.add(answer);
    }
    return answers;
  }

  private static Streamed stream(
      TestCluster cluster, String question, int maxTokens, Multiset<String> pieces) {
    HttpResponse<Stream<String>> response =
        cluster.send(
            "/v1/chat/completions",
            TestCluster.question(question)
                .replaceFirst(
                    "\\{",
                    "{\"max_tokens\":%d,\"stream\":true,\"stream_options\":{\"include_usage\":true},"
                        .formatted(maxTokens)),
            HttpResponse.BodyHandlers.ofLines());
    if (response.statusCode() != 200) {
      throw new AssertionError(response.statusCode() + ": " + response.body().toList());
    }
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
