package dev.cloister.agent.fingerprint.gpu;

import dev.cloister.agent.fingerprint.host.CommandRunner;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A vendor's tool that lists GPUs: absent on most machines, and not to be waited for. */
public final class GpuTool {

  public static final Duration TIMEOUT = Duration.ofSeconds(3);

  /** More GPUs than any machine holds; a longer list is a misreading. */
  static final int MOST_GPUS = 64;

  private static final Logger LOG = LoggerFactory.getLogger(GpuTool.class);

  private final CommandRunner runner;
  private final List<String> command;

  GpuTool(CommandRunner runner, String... command) {
    this.runner = runner;
    this.command = List.of(command);
  }

  /** What the tool printed; empty if it is missing, too slow or failed, which is logged. */
  Optional<String> ask() throws InterruptedException {
    String tool = command.getFirst();
    return switch (runner.run(command, TIMEOUT)) {
      case CommandRunner.Outcome.Missing() -> {
        LOG.debug("gpu tool missing tool={}", tool);
        yield Optional.empty();
      }
      case CommandRunner.Outcome.TimedOut() -> {
        LOG.warn("gpu tool timed out tool={} limit={}", tool, TIMEOUT);
        yield Optional.empty();
      }
      case CommandRunner.Outcome.Completed completed when completed.exit() != 0 -> {
        // It is installed and yet cannot answer: the machine's owner wants to know why.
        LOG.warn(
            "gpu tool failed tool={} exit={} said=\"{}\"",
            tool,
            completed.exit(),
            completed.firstLine());
        yield Optional.empty();
      }
      case CommandRunner.Outcome.Completed completed -> Optional.of(completed.stdout());
    };
  }
}
