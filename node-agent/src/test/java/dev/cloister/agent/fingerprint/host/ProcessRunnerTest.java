package dev.cloister.agent.fingerprint.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@DisabledOnOs(OS.WINDOWS)
class ProcessRunnerTest {

  private static final Duration LONG = Duration.ofSeconds(30);

  private final ProcessRunner runner = ProcessRunner.ofThisMachine(Map.of("PATH", "/bin"));

  private CommandRunner.Outcome sh(String script, Duration timeout) throws Exception {
    return runner.run(List.of("sh", "-c", script), timeout);
  }

  @Test
  void bothOutputsAndTheExitCodeArriveApart() throws Exception {
    assertThat(sh("echo out; echo err >&2; exit 3", LONG))
        .isEqualTo(new CommandRunner.Outcome.Completed(3, "out\n", "err\n"));
  }

  @Test
  void aMissingToolIsNotStarted() throws Exception {
    assertThat(runner.run(List.of("no-such-tool-anywhere"), LONG))
        .isEqualTo(new CommandRunner.Outcome.Missing());
    assertThat(new ProcessRunner(List.of()).run(List.of("sh"), LONG))
        .isEqualTo(new CommandRunner.Outcome.Missing());
  }

  @Test
  void aSlowToolIsKilledWithItsChildren(@TempDir Path directory) throws Exception {
    Path pids = directory.resolve("pids");
    // The child's pid is written before the wait begins; the timeout leaves it ample time.
    assertThat(sh("sleep 300 & echo $! $$ > " + pids + "; wait", Duration.ofSeconds(1)))
        .isEqualTo(new CommandRunner.Outcome.TimedOut());
    for (String pid : Files.readString(pids).strip().split(" ", -1)) {
      Awaitility.await()
          .until(() -> ProcessHandle.of(Long.parseLong(pid)).map(p -> !p.isAlive()).orElse(true));
    }
  }

  @Test
  @Timeout(20)
  void aChildThatKeepsTheOutputOpenDoesNotHoldUsUp() throws Exception {
    assertThat(sh("sleep 60 & exit 0", Duration.ofMillis(300)))
        .isNotEqualTo(new CommandRunner.Outcome.Missing());
  }

  @Test
  void muchOutputOnBothSidesIsCutAndDoesNotBlock() throws Exception {
    CommandRunner.Outcome outcome =
        sh("head -c 10000000 /dev/zero; head -c 10000000 /dev/zero >&2", LONG);
    assertThat(outcome)
        .isInstanceOfSatisfying(
            CommandRunner.Outcome.Completed.class,
            completed -> {
              assertThat(completed.exit()).isZero();
              assertThat(completed.stdout()).hasSize(ProcessRunner.OUTPUT_LIMIT);
              assertThat(completed.stderr()).hasSize(ProcessRunner.OUTPUT_LIMIT);
            });
  }
}
