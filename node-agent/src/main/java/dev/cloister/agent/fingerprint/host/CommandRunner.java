package dev.cloister.agent.fingerprint.host;

import java.time.Duration;
import java.util.List;

/** Runs a tool that may be missing, slow, broken or talkative. Implementations are thread-safe. */
public interface CommandRunner {

  /**
   * Runs a command to its end or to the timeout.
   *
   * @param command the tool's plain name, then its arguments; no shell is involved
   * @throws InterruptedException after what was started has been killed
   */
  Outcome run(List<String> command, Duration timeout) throws InterruptedException;

  sealed interface Outcome {

    /** Each output cut to the runner's limit and decoded as UTF-8, whatever it is. */
    record Completed(int exit, String stdout, String stderr) implements Outcome {

      /** What the tool said first, for a log line. */
      public String firstLine() {
        return (stdout + "\n" + stderr)
            .lines()
            .map(ToolField::name)
            .filter(line -> !line.isEmpty())
            .findFirst()
            .orElse("");
      }
    }

    /** There is no such tool on this machine, or it cannot be started. */
    record Missing() implements Outcome {}

    /** It took too long and was killed. */
    record TimedOut() implements Outcome {}
  }
}
