package dev.cloister.bench.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Flow;

/**
 * Asks a cluster over HTTP, as any client of OpenAI's API, for streamed answers on one connection.
 * One question after the other.
 */
final class HttpCaller implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String DATA = "data: {";
  private static final int OK = 200;

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final URI chats;
  private final String key;

  /**
   * @param api base address
   * @param key of the API
   */
  HttpCaller(String api, String key) {
    this.chats = URI.create(api + "/v1/chat/completions");
    this.key = key;
  }

  /** Is told how an answer comes in; must not block. */
  interface Progress {
    /**
     * @param node that answered first
     * @param chunks that came; the first one is empty
     */
    void chunk(String node, int chunks);
  }

  /**
   * Asks, and waits for the whole answer.
   *
   * @throws IOException if there is none
   */
  TimedAnswer ask(Question question) throws IOException, InterruptedException {
    return ask(question, (node, chunks) -> {});
  }

  /** The same with news of how it comes in. */
  TimedAnswer ask(Question question, Progress progress) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(chats)
            .header("content-type", "application/json")
            .header("authorization", "Bearer " + key)
            .POST(HttpRequest.BodyPublishers.ofByteArray(body(question)))
            .build();
    long askedNanos = System.nanoTime();
    HttpResponse<Lines> response =
        http.send(
            request,
            head -> {
              Lines lines =
                  new Lines(head.headers().firstValue("x-cloister-node").orElse(""), progress);
              return HttpResponse.BodySubscribers.fromLineSubscriber(
                  lines, all -> all, StandardCharsets.UTF_8, "\n");
            });
    if (response.statusCode() != OK) {
      throw new IOException(
          "the cluster answered %d: %s".formatted(response.statusCode(), response.body().other));
    }
    return response.body().answer(askedNanos);
  }

  private static byte[] body(Question question) throws IOException {
    ObjectNode body = JSON.createObjectNode();
    body.put("model", question.model());
    body.put("temperature", 0);
    body.put("max_tokens", question.maxTokens());
    body.put("stream", true);
    body.putObject("stream_options").put("include_usage", true);
    body.putArray("messages").addObject().put("role", "user").put("content", question.text());
    ObjectNode bias = body.putObject("logit_bias");
    question.logitBias().forEach((token, value) -> bias.put(String.valueOf(token), value));
    return JSON.writeValueAsBytes(body);
  }

  @Override
  public void close() {
    http.shutdownNow();
  }

  /** Notes when each line came, and reads them when all are there. */
  private static final class Lines implements Flow.Subscriber<String> {
    private final String node;
    private final Progress progress;
    private final List<String> chunks = new ArrayList<>();
    private final List<Long> nanos = new ArrayList<>();
    private final StringBuilder other = new StringBuilder();

    Lines(String node, Progress progress) {
      this.node = node;
      this.progress = progress;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(String line) {
      if (line.startsWith(DATA)) {
        nanos.add(System.nanoTime());
        chunks.add(line);
        progress.chunk(node, chunks.size());
      } else {
        other.append(line);
      }
    }

    @Override
    public void onError(Throwable broken) {}

    @Override
    public void onComplete() {}

    TimedAnswer answer(long askedNanos) throws IOException {
      List<Long> pieceNanos = new ArrayList<>();
      int tokens = 0;
      for (int i = 0; i < chunks.size(); i++) {
        JsonNode chunk = JSON.readTree(chunks.get(i).substring(DATA.length() - 1));
        if (chunk.has("error")) {
          throw new IOException("an answer broke off: " + chunk.at("/error/message").asText());
        }
        if (!chunk.at("/choices/0/delta/content").asText().isEmpty()) {
          pieceNanos.add(nanos.get(i));
        }
        tokens = chunk.at("/usage/completion_tokens").asInt(tokens);
      }
      return TimedAnswer.of(tokens, askedNanos, pieceNanos);
    }
  }
}
