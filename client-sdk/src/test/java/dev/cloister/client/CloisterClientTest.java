package dev.cloister.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.cloister.client.ChatResponse.End;
import dev.cloister.client.CloisterException.Kind;
import dev.cloister.client.ModelInfo.Options;
import dev.cloister.client.admin.PlanInfo;
import dev.cloister.client.admin.PlanQuestion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class CloisterClientTest {
  private static final ChatRequest QUESTION = ChatRequest.of("tiny", "the capital of France?");

  private final Path profile;
  private final FakeCluster cluster;

  CloisterClientTest(@TempDir Path directory) throws IOException {
    profile = directory.resolve("client");
    cluster = new FakeCluster(directory);
    CloisterClient.join(cluster.token(), profile, "my-laptop");
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  /** The example of the package's documentation, with its first two lines elsewhere. */
  @Test
  void theExampleOfThePackageWorks() {
    String token = cluster.token();
    CloisterClient.join(token, profile, "my-laptop"); // once
    try (CloisterClient client = CloisterClient.open(profile)) {
      System.out.println(
          client.chat(ChatRequest.of("cloister-tiny", "What is the capital of France?")).text());
    }
  }

  @Test
  void aQuestionIsAnsweredWhole() {
    try (CloisterClient client = CloisterClient.open(profile)) {
      assertThat(client.chat(QUESTION.withMaxTokens(9).withTemperature(0).withSeed(1)))
          .isEqualTo(
              new ChatResponse(
                  "Paris is it.", "", List.of(), List.of(), End.STOP, 5, 2, 3, "pc-7"));
      assertThat(client.models()).extracting(ModelInfo::name).containsExactly("tiny");
    }
    var sent = cluster.requests.getFirst().getGeneration();
    assertThat(sent.getMaxTokens()).isEqualTo(9);
    assertThat(sent.getSampling().hasTemperature()).isTrue();
    assertThat(sent.getSampling().getSeed()).isEqualTo(1);
  }

  @Test
  void howAModelIsRunIsSetAndTold() {
    Options options =
        new Options(
            OptionalInt.of(512),
            OptionalInt.of(2),
            OptionalInt.of(3),
            OptionalInt.of(4),
            OptionalInt.of(64),
            OptionalInt.of(Options.ALL_LAYERS),
            OptionalInt.of(0),
            Optional.of(Options.KvType.Q8_0),
            Optional.of(Options.KvPlace.HOST),
            Optional.of(Options.FlashAttention.OFF),
            OptionalInt.of(3),
            true);
    try (CloisterClient client = CloisterClient.open(profile)) {
      assertThat(client.models().getFirst().options()).isEqualTo(Options.NONE);
      client.administration().configureModel("tiny", options);
      assertThat(client.models().getFirst().options()).isEqualTo(options);
      assertThat(client.models().getFirst().replicas())
          .containsExactly(
              new ModelInfo.Replica(
                  "1",
                  "desk",
                  "ready",
                  "",
                  0.5,
                  512,
                  2,
                  "llama.cpp b4916",
                  true,
                  77,
                  Optional.of(new ModelInfo.Stage("plan-1", 0, 2, 0, 4, 3, 4_000)),
                  Optional.of(
                      new ModelInfo.Residence(
                          ModelInfo.Residence.Why.ASKED_FOR,
                          1,
                          Optional.of(Instant.ofEpochMilli(5)),
                          Optional.empty(),
                          true))));
    }
  }

  @Test
  void howLongAModelStaysIsSetAndTold() {
    try (CloisterClient client = CloisterClient.open(profile)) {
      assertThat(client.models().getFirst().retention())
          .isEqualTo(ModelInfo.Retention.WHILE_THERE_IS_ROOM);
      for (ModelInfo.Retention retention :
          List.of(
              ModelInfo.Retention.PINNED,
              ModelInfo.Retention.keepAlive(Duration.ofMinutes(5)),
              ModelInfo.Retention.keepAlive(Duration.ZERO),
              ModelInfo.Retention.WHILE_THERE_IS_ROOM)) {
        client.administration().retainModel("tiny", retention);
        assertThat(client.models().getFirst().retention()).isEqualTo(retention);
      }
    }
  }

  @Test
  void howAModelWouldBePlacedIsTold() {
    try (CloisterClient client = CloisterClient.open(profile)) {
      PlanInfo plan =
          client
              .administration()
              .planModel(
                  "tiny",
                  new PlanQuestion(
                      OptionalInt.of(2), true, OptionalInt.of(512), OptionalInt.of(1)));
      assertThat(plan)
          .isEqualTo(
              new PlanInfo(
                  Optional.of(
                      new PlanInfo.Plan(
                          List.of(
                              new PlanInfo.Stage(
                                  "1", "desk", 0, 4, 1, 2, 3, 6, 7, 0.5, 0.25, true, true)),
                          0.75,
                          100,
                          20,
                          5)),
                  List.of(),
                  "split 2, context 512, slots 1"));
      assertThat(client.administration().planModel("tiny", PlanQuestion.AS_CONFIGURED).plan())
          .isEmpty();
    }
  }

  @Test
  void anAnswerComesPieceByPieceAndCanBeCompletedFromAnywhere() {
    try (CloisterClient client = CloisterClient.open(profile);
        ChatStream stream = client.stream(QUESTION)) {
      assertThat(stream.next()).isEqualTo("Paris");
      assertThat(stream.hasNext()).isTrue();
      assertThat(stream.complete().text()).isEqualTo("Paris is it.");
      assertThat(stream.hasNext()).isFalse();
      assertThatThrownBy(stream::next).isInstanceOf(NoSuchElementException.class);
      assertThat(stream.complete().text()).isEqualTo("Paris is it.");
    }
  }

  @Test
  void closingAStreamEarlyStopsTheWork() throws Exception {
    try (CloisterClient client = CloisterClient.open(profile)) {
      ChatStream stream = client.stream(ChatRequest.of("endless", "?"));
      assertThat(stream.next()).isEqualTo("Paris");
      stream.close();
      assertThat(cluster.cancelled.await(10, TimeUnit.SECONDS)).isTrue();
      assertThat(failureOf(stream::hasNext)).hasMessageContaining("broken off");
    }
  }

  @Test
  void anAnswerThatIsNotCompleteInTimeIsGivenUpAlsoByTheCluster() throws Exception {
    ChatRequest.Builder request = ChatRequest.builder("endless").user("?");
    try (CloisterClient client = CloisterClient.open(profile);
        ChatStream stream = client.stream(request.timeout(Duration.ofMillis(500)).build())) {
      assertThat(stream.next()).isEqualTo("Paris");
      CloisterException failure = failureOf(stream::hasNext);
      assertThat(failure.kind()).isEqualTo(Kind.TIMED_OUT);
      assertThat(failure).hasMessageStartingWith("the answer was not complete within the time");
      assertThat(cluster.cancelled.await(10, TimeUnit.SECONDS)).isTrue();
    }
    for (Duration past : List.of(Duration.ZERO, Duration.ofSeconds(-1))) {
      assertThatThrownBy(() -> request.timeout(past).build())
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("timeout: " + past + " (expected: > 0)");
    }
  }

  @Test
  void aFailureAmidAnAnswerIsToldAsOftenAsAskedFor() {
    try (CloisterClient client = CloisterClient.open(profile);
        ChatStream stream = client.stream(ChatRequest.of("breaks", "?"))) {
      assertThat(stream.next()).isEqualTo("Paris");
      for (int i = 0; i < 2; i++) {
        CloisterException failure = failureOf(stream::hasNext);
        assertThat(failure.kind()).isEqualTo(Kind.NODE_LOST);
        assertThat(failure).hasMessage("the node was lost");
      }
      assertThat(failureOf(() -> client.chat(ChatRequest.of("busy", "?"))).kind())
          .isEqualTo(Kind.NO_CAPACITY);
    }
  }

  @Test
  void aCoordinatorThatDiesAmidAnAnswerIsNotADefect() {
    try (CloisterClient client = CloisterClient.open(profile);
        ChatStream stream = client.stream(ChatRequest.of("endless", "?"))) {
      assertThat(stream.next()).isEqualTo("Paris");
      cluster.close();
      assertThat(failureOf(stream::hasNext).kind()).isEqualTo(Kind.UNREACHABLE);
    }
  }

  @Test
  @Timeout(10)
  void aCoordinatorThatIsGoneIsNoticedAtOnce() {
    cluster.close();
    try (CloisterClient client = CloisterClient.open(profile)) {
      for (ThrowingCallable call :
          List.<ThrowingCallable>of(
              () -> client.chat(QUESTION),
              client::models,
              () -> client.administration().apiKeys())) {
        CloisterException failure = failureOf(call);
        assertThat(failure.kind()).isEqualTo(Kind.UNREACHABLE);
        assertThat(failure).hasMessageStartingWith("the coordinator does not answer; check");
      }
    }
  }

  @Test
  void whatOnlyAdministratorsMayIsRefusedToOthers() {
    try (CloisterClient client = CloisterClient.open(profile)) {
      CloisterException failure = failureOf(() -> client.administration().apiKeys());
      assertThat(failure.kind()).isEqualTo(Kind.NOT_ALLOWED);
      assertThat(failure).hasMessage("only admins may");
    }
  }

  @Test
  void aMissingProfileIsSaidToBe(@TempDir Path empty) {
    CloisterException failure = failureOf(() -> CloisterClient.open(empty.resolve("none")));
    assertThat(failure.kind()).isEqualTo(Kind.NOT_FOUND);
    assertThat(failure).hasMessageEndingWith("none; make one with: cloister join TOKEN");
  }

  @Test
  void anExpiredProfileIsSaidToBe() {
    cluster.profile(profile, Instant.now().minus(Duration.ofDays(2)));
    CloisterException failure = failureOf(() -> CloisterClient.open(profile));
    assertThat(failure.kind()).isEqualTo(Kind.NOT_ALLOWED);
    assertThat(failure)
        .hasMessageContaining("expired at")
        .hasMessageEndingWith("make a new profile with: cloister join TOKEN");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aProfileOpenToOthersIsNotUsed() throws IOException {
    Files.setPosixFilePermissions(
        profile.resolve("identity.pem"), PosixFilePermissions.fromString("rw-r--r--"));
    CloisterException failure = failureOf(() -> CloisterClient.open(profile));
    assertThat(failure.kind()).isEqualTo(Kind.NOT_ALLOWED);
    assertThat(failure).hasMessageContaining("open to others").hasMessageContaining("chmod 600");
  }

  @Test
  void aMutilatedTokenIsSaidToBe(@TempDir Path other) {
    CloisterException failure =
        failureOf(() -> CloisterClient.join("clj1.abc", other.resolve("p"), "x"));
    assertThat(failure.kind()).isEqualTo(Kind.INVALID_REQUEST);
  }

  @Test
  void promptsAndAnswersAreNotInStringForms() {
    assertThat(QUESTION.toString() + QUESTION.messages()).doesNotContain("France");
    Tool.Call call = new Tool.Call("c", "f", "{\"city\": \"Paris\"}");
    TokenLogprob token = new TokenLogprob(1, "Paris", -1, List.of());
    ChatResponse response =
        new ChatResponse("Paris", "Paris?", List.of(call), List.of(token), End.STOP, 1, 0, 1, "pc");
    assertThat(response + " " + response.message() + call + token).doesNotContain("Paris");
  }

  private static CloisterException failureOf(ThrowingCallable call) {
    return catchThrowableOfType(CloisterException.class, call);
  }
}
