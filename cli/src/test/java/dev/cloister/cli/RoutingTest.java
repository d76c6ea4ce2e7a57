package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.collect.ConcurrentHashMultiset;
import com.google.common.collect.Multiset;
import dev.cloister.cli.outcome.ExitCode;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** Where requests go, and why, on real processes. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RoutingTest {
  private static final int CALLERS = 8;

  private TestCluster cluster;

  @BeforeAll
  void start(@TempDir Path directory) {
    cluster = new TestCluster(directory);
    cluster.join("desk");
    cluster.awaitReady("desk");
  }

  @AfterAll
  void stop() {
    cluster.close();
  }

  @Test
  @Order(1)
  void why_a_request_went_to_its_node_can_be_read_back() {
    HttpResponse<String> answer =
        cluster.send(
            "/v1/chat/completions",
            TestCluster.question("What is the capital of France?"),
            HttpResponse.BodyHandlers.ofString());
    String request = answer.headers().firstValue("x-cloister-request").orElseThrow();

    JsonNode decision = cluster.show("explain", request).path(0);
    assertThat(decision.path("model").asText()).isEqualTo(TestCluster.MODEL);
    assertThat(decision.path("predictions").path(0).path("node").asText())
        .isEqualTo(answer.headers().firstValue("x-cloister-node").orElseThrow());
    String profile = cluster.profile().toString();
    assertThat(Cli.run("explain", request, "--profile", profile).out())
        .contains("DONE IN", "desk", "0 of ");
    Cli.Result unknown = Cli.run("explain", "req-0", "--profile", profile);
    assertThat(unknown.exitCode()).isEqualTo(ExitCode.NOT_FOUND);
    assertThat(unknown.err()).contains("no decision about such a request").hasLineCount(1);
  }

  @Test
  @Order(2)
  void what_an_engine_holds_of_a_conversation_counts_for_its_next_question() {
    String question = "Count from 1 to 3. " + "Please be so kind. ".repeat(40);
    assertThat(cluster.ask(question).status()).isEqualTo(200);

    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .untilAsserted(
            () -> {
              HttpResponse<String> again =
                  cluster.send(
                      "/v1/chat/completions",
                      TestCluster.question(question),
                      HttpResponse.BodyHandlers.ofString());
              JsonNode decision =
                  cluster
                      .show(
                          "explain", again.headers().firstValue("x-cloister-request").orElseThrow())
                      .path(0);
              assertThat(decision.path("predictions").path(0).path("cached_tokens").asInt())
                  .isGreaterThan(decision.path("prompt_tokens").asInt() / 2);
            });
  }

  @Test
  @Order(3)
  void a_node_that_joined_has_measured_itself() {
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .until(
            () ->
                cluster.show("node", "show", "desk").path("memory_bytes_per_second").asDouble()
                    > 1e8);
    assertThat(Cli.run("node", "show", "desk", "--profile", cluster.profile().toString()).out())
        .containsPattern("memory +.* GiB free of .* GiB, copied at [0-9.]+ GB/s");
  }

  @Test
  @Order(4)
  void a_key_has_a_weight_that_can_be_changed() {
    String id = cluster.show("key", "create", "nightly", "--weight", "0.2").path("id").asText();
    assertThat(weight(id)).isEqualTo(0.2);
    String profile = cluster.profile().toString();
    assertThat(Cli.run("key", "weigh", id, "3", "--profile", profile).exitCode()).isZero();
    assertThat(weight(id)).isEqualTo(3);
    assertThat(Cli.run("key", "weigh", id, "0", "--profile", profile))
        .isEqualTo(
            new Cli.Result(ExitCode.USAGE, "", "cloister: weight: 0.0 (expected: 0.01 to 100)\n"));
  }

  private double weight(String keyId) {
    return cluster
        .show("key", "list")
        .valueStream()
        .filter(key -> key.path("id").asText().equals(keyId))
        .findFirst()
        .orElseThrow()
        .path("weight")
        .asDouble();
  }

  @Test
  @Order(5)
  void an_agent_started_under_load_takes_a_fair_part_within_five_seconds() {
    Multiset<String> before = ConcurrentHashMultiset.create();
    Multiset<String> taken = ConcurrentHashMultiset.create();
    AtomicReference<String> last = new AtomicReference<>("");
    AtomicBoolean counting = new AtomicBoolean();
    AtomicBoolean over = new AtomicBoolean();
    List<Thread> callers = new ArrayList<>();
    for (int i = 0; i < CALLERS; i++) {
      callers.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    while (!over.get()) {
                      boolean counts = counting.get();
                      HttpResponse<String> answer =
                          cluster.send(
                              "/v1/chat/completions",
                              TestCluster.question("Count from 1 to 20."),
                              HttpResponse.BodyHandlers.ofString());
                      (counts ? taken : before)
                          .add(answer.headers().firstValue("x-cloister-node").orElse(""));
                      answer.headers().firstValue("x-cloister-request").ifPresent(last::set);
                    }
                  }));
    }
    try {
      Awaitility.await().atMost(TestCluster.PATIENCE).until(() -> before.count("desk") > 20);
      cluster.join("rack");
      cluster.awaitReady("rack");
      counting.set(true);
      Awaitility.await().pollDelay(Duration.ofSeconds(5)).until(() -> true);
    } finally {
      over.set(true);
    }
    for (Thread caller : callers) {
      try {
        caller.join();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
    // Both are the same machine, so that half would be fair to a hair.
    assertThat(taken.size()).isGreaterThanOrEqualTo(CALLERS);
    assertThat(taken.elementSet()).doesNotContain("");
    assertThat(taken.count("rack"))
        .as(
            "of %s, the last of which went where this says: %s",
            taken, cluster.show("explain", last.get()))
        .isGreaterThan(taken.size() / 3);
  }
}
