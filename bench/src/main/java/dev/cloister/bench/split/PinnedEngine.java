package dev.cloister.bench.split;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.engine.Readiness;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** An engine process with one thread on one core, where the system can pin it (Linux). */
final class PinnedEngine implements AutoCloseable {
  private static final Path TASKSET = Path.of("/usr/bin/taskset");

  private final Path directory = Files.createTempDirectory("cloister-split-");
  private final Process process;
  private final EngineClient client;
  private final Readiness readiness;

  /**
   * @param command what starts an engine process, without arguments
   * @param flags of the engine, with the model
   */
  PinnedEngine(List<String> command, int core, List<String> flags)
      throws IOException, InterruptedException {
    Path socket = directory.resolve("s");
    List<String> line = new ArrayList<>();
    if (pins()) {
      line.addAll(List.of(TASKSET.toString(), "-c", String.valueOf(core)));
    }
    line.addAll(command);
    line.addAll(flags);
    line.addAll(List.of("--socket", socket.toString(), "--threads", "1"));
    process =
        new ProcessBuilder(line)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    while (!Files.exists(socket) && !process.waitFor(5, TimeUnit.MILLISECONDS)) {
      // A client that finds no socket would wait before it looks again.
    }
    client = new EngineClient(socket);
    readiness = Readiness.of(client);
  }

  static boolean pins() {
    return Files.isExecutable(TASKSET);
  }

  EngineClient client() {
    return client;
  }

  /** Waits until the model, or the stage, is in memory. */
  void awaitLoaded() {
    readiness.loaded().join();
  }

  /** Waits until it answers. */
  void awaitReady() {
    readiness.ready().join();
  }

  @Override
  public void close() throws IOException {
    client.close();
    process.destroyForcibly();
    process.onExit().join();
    Files.deleteIfExists(directory.resolve("s"));
    Files.delete(directory);
  }
}
