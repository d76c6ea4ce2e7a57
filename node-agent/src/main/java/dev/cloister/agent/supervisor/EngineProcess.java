package dev.cloister.agent.supervisor;

import dev.cloister.agent.fingerprint.host.ProcessMemory;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One engine process. It ends with this agent, however the agent ends: it reads from a pipe whose
 * other end closes with the agent.
 */
final class EngineProcess implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EngineProcess.class);
  private static final long SOCKET_CHECK_MILLIS = 5;
  private static final long END_SECONDS = 5;
  private static final Duration LAST_LINE_PATIENCE = Duration.ofSeconds(1);

  private final String model;
  private final Process process;
  private final Path socket;
  private final EnginePatience patience;
  private final Runnable closed;
  private final Thread logRelay;
  private volatile String lastLine = "";

  private EngineProcess(
      String model, Process process, Path socket, EnginePatience patience, Runnable closed) {
    this.closed = closed;
    this.model = model;
    this.process = process;
    this.socket = socket;
    this.patience = patience;
    this.logRelay = Thread.ofVirtual().name("engine-log-" + model).unstarted(this::relayLog);
  }

  /**
   * @param closed is run when the process is gone
   */
  static EngineProcess start(
      String model, List<String> command, Path socket, EnginePatience patience, Runnable closed)
      throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD);
    // An abort of ggml would otherwise start a debugger where one is installed, and wait for it.
    builder.environment().put("GGML_NO_BACKTRACE", "1");
    Process process = builder.start();
    EngineProcess engine = new EngineProcess(model, process, socket, patience, closed);
    log.info("engine of {} was started, process {}", model, process.pid());
    engine.logRelay.start();
    return engine;
  }

  /** Memory that the process takes; 0 if that cannot be told. */
  long residentBytes() {
    return ProcessMemory.residentBytes(process.pid());
  }

  private void relayLog() {
    try (BufferedReader lines = process.errorReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        lastLine = line;
        log.info("engine of {}: {}", model, line);
      }
    } catch (IOException e) {
      log.debug("the engine's log ended", e);
    }
  }

  /**
   * Waits for the socket, which appears a moment after the process.
   *
   * @throws IOException if the process ended first or takes too long
   */
  Path awaitSocket() throws IOException, InterruptedException {
    for (long waited = 0; !Files.exists(socket); waited += SOCKET_CHECK_MILLIS) {
      if (process.waitFor(SOCKET_CHECK_MILLIS, TimeUnit.MILLISECONDS)) {
        throw new IOException(end());
      }
      if (waited > patience.start().toMillis()) {
        throw new IOException(
            "the engine did not open its socket within " + patience.start().toSeconds() + " s");
      }
    }
    return socket;
  }

  EnginePatience patience() {
    return patience;
  }

  /** Ends the process at once, whatever it does. */
  void kill() {
    process.destroyForcibly();
  }

  /** Runs an action when the process has ended, at once if it has already. */
  void whenEnded(Runnable action) {
    var _ = process.onExit().thenRun(action);
  }

  /**
   * Waits for the end, which its broken connection has announced, and tells how it was, in one
   * sentence.
   */
  String awaitEnd() throws InterruptedException {
    return process.waitFor(END_SECONDS, TimeUnit.SECONDS)
        ? end()
        : "the engine broke its connection but did not end";
  }

  private String end() throws InterruptedException {
    int code = process.exitValue();
    // The last line says why, and may still be on its way.
    logRelay.join(LAST_LINE_PATIENCE);
    String how = code > 128 ? "was ended by signal " + (code - 128) : "ended with code " + code;
    return "the engine " + how + (lastLine.isEmpty() ? "" : " (" + lastLine + ")");
  }

  /** Ends the process: asks, waits two seconds, then kills, and waits until it is gone. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(2, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        // A kill is certain, yet takes a moment.
        process.waitFor(2, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    try {
      // A killed engine leaves it.
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      log.debug("removing {}", socket, e);
    }
    closed.run();
  }
}
