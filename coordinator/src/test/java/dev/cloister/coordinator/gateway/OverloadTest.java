package dev.cloister.coordinator.gateway;

import static dev.cloister.coordinator.gateway.TestGateway.CHAT;
import static dev.cloister.coordinator.gateway.TestGateway.HELLO;
import static dev.cloister.coordinator.gateway.TestGateway.HELLO_STREAM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.coordinator.labels.Labels;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What callers over HTTP see of a full cluster: one node with one slot that takes five requests.
 */
@SuppressWarnings("NullAway.Init")
class OverloadTest {
  private static final int TAKEN = 5;
  private static final int OF_A_CALLER = 500;

  @TempDir private Path directory;
  private TestGateway gateway;
  private int submitted;

  @BeforeEach
  void start() throws Exception {
    gateway = new TestGateway(directory);
    gateway.world.fleet.replica(
        gateway.node.id(), gateway.session, new Replica.Loading(TestFleet.MODEL, 0));
    gateway.world.report(gateway.node, gateway.session, 1);
    gateway.script(start -> {});
  }

  @AfterEach
  void stop() {
    gateway.close();
  }

  @Test
  void aCallerWithTooMuchWaitingGetsA429AndIsToldWhenToComeAgain() throws Exception {
    submit(gateway.keyId, TAKEN + OF_A_CALLER);
    for (String body : new String[] {HELLO, HELLO_STREAM}) {
      HttpResponse<String> refused = gateway.post(CHAT, body);
      assertThat(refused.statusCode()).isEqualTo(429);
      assertThat(retryAfter(refused)).isBetween(1, 30);
      assertThat(TestGateway.error(refused).path("type").asText()).isEqualTo("requests");
      assertThat(TestGateway.error(refused).path("code").asText()).isEqualTo("rate_limit_exceeded");
      assertThat(TestGateway.error(refused).path("message").asText())
          .startsWith("you have 500 requests for 'tiny' waiting");
    }
  }

  @Test
  void anotherCallerGetsA503OnlyWhenAllTogetherHaveTooMuchWaiting() throws Exception {
    submit("one", TAKEN + OF_A_CALLER);
    submit("other", OF_A_CALLER);
    HttpResponse<String> refused = gateway.post(CHAT, HELLO);
    assertThat(refused.statusCode()).isEqualTo(503);
    assertThat(retryAfter(refused)).isBetween(1, 30);
    assertThat(TestGateway.error(refused).path("code").asText()).isEqualTo("no_capacity");
  }

  @Test
  void aCallerThatNamesATimeWaitsNoLongerForItsTurn() {
    submit("crowd", TAKEN);
    assertThatItEndsAfterTwoSeconds("every node that serves 'tiny' has a full queue; try again in");
  }

  @Test
  void norForANodeThatDoesNotBegin() {
    assertThatItEndsAfterTwoSeconds("no answer began within the time that the request allows;");
    assertThat(gateway.session.starts()).allMatch(Start::isOver);
  }

  private void assertThatItEndsAfterTwoSeconds(String message) {
    CompletableFuture<HttpResponse<String>> answer = post("2");
    Instant begin = gateway.world.clock.instant();
    await()
        .pollInterval(Duration.ofMillis(10))
        .until(
            () -> {
              gateway.world.clock.advance(Duration.ofMillis(100));
              gateway.world.dispatcher.retry();
              return answer.isDone();
            });
    assertThat(gateway.world.clock.instant()).isAfterOrEqualTo(begin.plusSeconds(2));
    assertThat(answer.join().statusCode()).isEqualTo(503);
    assertThat(retryAfter(answer.join())).isPositive();
    assertThat(answer.join().body()).contains("\"message\":\"" + message);
  }

  private CompletableFuture<HttpResponse<String>> post(String timeout) {
    HttpRequest.Builder request =
        gateway
            .request(CHAT)
            .header("x-cloister-timeout", timeout)
            .POST(BodyPublishers.ofString(HELLO));
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return gateway.send(request);
          } catch (Exception e) {
            throw new CompletionException(e);
          }
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "0", "0.0", "601", "soon", "1e2", "NaN", "", "1s"})
  void aTimeThatIsNoneOrPastOrTooLongIsRefused(String timeout) throws Exception {
    HttpResponse<String> refused = post(timeout).join();
    assertThat(refused.statusCode()).isEqualTo(400);
    assertThat(TestGateway.error(refused).path("param").asText()).isEqualTo("x-cloister-timeout");
    assertThat(TestGateway.error(refused).path("type").asText()).isEqualTo("invalid_request_error");
    assertThat(TestGateway.error(refused).path("message").asText())
        .isEqualTo(
            "x-cloister-timeout is no time to wait (expected: seconds, above 0, at most 600)");
  }

  private static int retryAfter(HttpResponse<String> response) {
    return Integer.parseInt(response.headers().firstValue("retry-after").orElseThrow());
  }

  private void submit(String caller, int count) {
    for (int i = 0; i < count; i++) {
      String id = "r" + ++submitted;
      gateway.world.dispatcher.submit(
          new GenerationRequest(
              id,
              TestFleet.MODEL,
              Tenant.ofApiKey(caller, Labels.NONE),
              TestFleet.request(id).generation()),
          new RecordingSink());
    }
  }
}
