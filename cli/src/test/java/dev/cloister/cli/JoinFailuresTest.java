package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.client.admin.Administration;
import dev.cloister.identity.token.JoinToken;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What stops an agent or a coordinator says so in one sentence that tells what to do. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class JoinFailuresTest {
  private TestCluster cluster;
  private @TempDir Path directory;

  @BeforeAll
  void start(@TempDir Path data) {
    cluster = new TestCluster(data);
  }

  @AfterAll
  void stop() {
    cluster.close();
  }

  private Administration administration() {
    return cluster.admin().administration();
  }

  private Cli.Result join(String token) {
    return Cli.run(
        "join", token, "--profile", directory.resolve("p" + System.nanoTime()).toString());
  }

  private static void assertOneSentence(Cli.Result result, int exitCode, String... parts) {
    assertThat(result.exitCode()).isEqualTo(exitCode);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).hasLineCount(1).startsWith("cloister: ").contains(parts);
  }

  @Test
  void an_expired_token() {
    String token = administration().createJoinToken("client", Duration.ofSeconds(1), 1).token();
    Awaitility.await()
        .until(
            () ->
                administration()
                    .joinTokens()
                    .getFirst()
                    .expiresAt()
                    .isBefore(java.time.Instant.now()));

    assertOneSentence(join(token), ExitCode.NOT_ALLOWED, "expired", "cloister token create");
  }

  @Test
  void a_token_used_twice() {
    String token = administration().createJoinToken("client", Duration.ofMinutes(1), 1).token();

    assertThat(join(token).exitCode()).isZero();
    assertOneSentence(join(token), ExitCode.NOT_ALLOWED, "already used", "cloister token create");
  }

  @Test
  void an_altered_token() {
    String token = administration().createJoinToken("client", Duration.ofMinutes(1), 1).token();
    JoinToken good = JoinToken.parse(token);
    byte[] secret = good.secret();
    secret[0] ^= 1;
    String altered = new JoinToken(good.address(), good.rootPin(), good.id(), secret).encode();

    assertOneSentence(join(altered), ExitCode.NOT_ALLOWED, "altered", "cloister token create");
    assertOneSentence(join(token.substring(0, 40)), ExitCode.USAGE, "cloister token create");
    assertThat(join(token).exitCode()).as("the good one kept its use").isZero();
  }

  @Test
  void a_token_of_another_cluster() {
    JoinToken good =
        JoinToken.parse(
            administration().createJoinToken("client", Duration.ofMinutes(1), 1).token());
    byte[] pin = good.rootPin();
    pin[0] ^= 1;
    String wrong = new JoinToken(good.address(), pin, good.id(), good.secret()).encode();

    assertOneSentence(join(wrong), ExitCode.NOT_ALLOWED, "not the one", "cloister token create");
  }

  @Test
  void a_coordinator_that_does_not_answer() throws IOException {
    int free;
    try (ServerSocket socket = new ServerSocket(0)) {
      free = socket.getLocalPort();
    }
    JoinToken good =
        JoinToken.parse(
            administration().createJoinToken("client", Duration.ofMinutes(1), 1).token());
    String gone =
        new JoinToken("127.0.0.1:" + free, good.rootPin(), good.id(), good.secret()).encode();

    assertOneSentence(join(gone), ExitCode.UNREACHABLE, "does not answer");
  }

  @Test
  void an_agent_without_a_token() {
    Cli.Result result =
        Cli.run("agent", "start", "--data", directory.resolve("stranger").toString());

    assertOneSentence(result, ExitCode.USAGE, "cloister token create", "--join");
  }

  @Test
  void a_busy_cluster_port() throws IOException {
    try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Cli.Result result =
          Cli.run(
              "coordinator",
              "start",
              "--data",
              directory.resolve("busy-cluster").toString(),
              "--port",
              String.valueOf(busy.getLocalPort()),
              "--api-port",
              "0");

      assertOneSentence(result, ExitCode.GENERAL, "in use", "--port");
    }
  }

  @Test
  void a_busy_api_port() {
    int taken = URI.create(cluster.api()).getPort();
    Cli.Result result =
        Cli.run(
            "coordinator",
            "start",
            "--data",
            directory.resolve("busy-api").toString(),
            "--port",
            "0",
            "--api-port",
            String.valueOf(taken));

    assertOneSentence(result, ExitCode.GENERAL, "in use", "--api-port");
  }

  @Test
  void a_missing_profile() {
    Cli.Result result =
        Cli.run("node", "list", "--profile", directory.resolve("nobody").toString());

    assertOneSentence(result, ExitCode.NOT_FOUND, "cloister join");
  }

  @Test
  void a_wrong_option_and_an_unknown_command() {
    assertThat(Cli.run("token", "create", "--ttl", "soon").exitCode()).isEqualTo(ExitCode.USAGE);
    Cli.Result unknown = Cli.run("quikstart");
    assertThat(unknown.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(unknown.err()).contains("quickstart");
  }
}
