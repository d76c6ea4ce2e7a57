package dev.cloister.agent.supervisor;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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

  private final String model;
  private final Process process;
  private final Path socket;
  private volatile String lastLine = "";

  private EngineProcess(String model, Process process, Path socket) {
    this.model = model;
    this.process = process;
    this.socket = socket;
  }

  static EngineProcess start(String model, List<String> command, Path socket) throws IOException {
    Process process =
        new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    EngineProcess engine = new EngineProcess(model, process, socket);
    log.info("engine of {} was started, process {}", model, process.pid());
    Thread.ofVirtual().name("engine-log-" + model).start(engine::relayLog);
    return engine;
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

  Path socket() {
    return socket;
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Waits for the end and tells how it was, in one sentence. */
  String awaitEnd() throws InterruptedException {
    int code = process.waitFor();
    String how = code > 128 ? "was ended by signal " + (code - 128) : "ended with code " + code;
    return "the engine " + how + (lastLine.isEmpty() ? "" : " (" + lastLine + ")");
  }

  /** Ends the process: asks, waits two seconds, then kills. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(2, TimeUnit.SECONDS)) {
        process.destroyForcibly();
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
  }
}
