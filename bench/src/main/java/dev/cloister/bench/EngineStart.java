package dev.cloister.bench;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.engine.EngineListener;
import dev.cloister.agent.engine.ModelFacts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** How long an engine process takes until it answers, and until its model does. */
final class EngineStart implements EngineListener {
  private final CompletableFuture<Long> answers = new CompletableFuture<>();
  private final CompletableFuture<Long> ready = new CompletableFuture<>();

  /** Seconds from the start of the process. */
  record Times(double answersSeconds, double readySeconds) {}

  private EngineStart() {}

  static Times measure(List<String> command, Path model, Path libraryCache)
      throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("cloister-start-");
    Path socket = directory.resolve("s");
    List<String> line = new ArrayList<>(command);
    line.addAll(List.of("--model", model.toString(), "--socket", socket.toString()));
    line.addAll(List.of("--library-cache", libraryCache.toString(), "--threads", "1"));
    long begin = System.nanoTime();
    Process process =
        new ProcessBuilder(line)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    EngineStart start = new EngineStart();
    try {
      while (!Files.exists(socket) && !process.waitFor(1, TimeUnit.MILLISECONDS)) {
        // A client that finds no socket would wait before it looks again.
      }
      try (EngineClient client = new EngineClient(socket)) {
        client.watch(start);
        return new Times((start.answers.join() - begin) / 1e9, (start.ready.join() - begin) / 1e9);
      }
    } finally {
      process.destroyForcibly().waitFor();
      Files.deleteIfExists(socket);
      Files.delete(directory);
    }
  }

  @Override
  public void staged() {}

  @Override
  public void loading(double progress) {
    answers.complete(System.nanoTime());
  }

  @Override
  public void ready(ModelFacts facts) {
    ready.complete(System.nanoTime());
  }

  @Override
  public void failed(String message) {
    lost();
  }

  @Override
  public void lost() {
    IllegalStateException ended = new IllegalStateException("the engine process ended early");
    answers.completeExceptionally(ended);
    ready.completeExceptionally(ended);
  }
}
