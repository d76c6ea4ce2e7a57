package dev.cloister.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Requests for a model that is being loaded. */
@Timeout(30)
class WaitingStreamsTest {
  private static final String MODEL = "org/big:v1";

  @Test
  void streamsAreToldWhatTheyWaitForInCommentsWithoutAnEmptyLine(@TempDir Path directory)
      throws Exception {
    try (TestGateway gateway = new TestGateway(directory)) {
      gateway.world.outlook.loads(MODEL, gateway.node.id(), 9, "loading model big on desk");
      CompletableFuture<HttpResponse<Stream<String>>> begun =
          gateway
              .client()
              .sendAsync(
                  gateway
                      .request(TestGateway.CHAT)
                      .POST(
                          BodyPublishers.ofString(
                              TestGateway.HELLO_STREAM.replace("\"tiny\"", "\"" + MODEL + "\"")))
                      .build(),
                  BodyHandlers.ofLines());
      Awaitility.await()
          .until(
              () -> {
                gateway.world.dispatcher.retry();
                return begun.isDone();
              });
      gateway.world.clock.advance(Duration.ofSeconds(2));
      gateway.world.dispatcher.retry();
      gateway.world.clock.advance(Duration.ofSeconds(1));
      gateway.world.dispatcher.retry();

      gateway.world.report(gateway.node, gateway.session, MODEL, 4);

      HttpResponse<Stream<String>> answer = begun.get();
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.headers().firstValue("x-cloister-node")).isEmpty();
      List<String> lines = answer.body().toList();
      assertThat(lines.subList(0, 2)).containsOnly(": loading model big on desk");
      assertThat(lines.get(2)).startsWith("data: {");
      assertThat(lines).contains("data: [DONE]");
    }
  }
}
