package dev.cloister.cli;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.engine.LocalRing;
import dev.cloister.agent.engine.Readiness;
import dev.cloister.agent.fingerprint.host.ProcessMemory;
import dev.cloister.cli.process.JavaCommand;
import dev.cloister.engine.gguf.GgufModel;
import dev.cloister.engine.gguf.StageCut;
import dev.cloister.proto.engine.v1.GenerateRequest;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.Sampling;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Engine processes that hold a model between them, frames passed from one to the next. */
final class EngineRing implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 120;

  private final List<Process> processes = new ArrayList<>();
  private final List<EngineClient> engines = new ArrayList<>();

  /**
   * @param starts layers with which stages begin, 0 first; a single one has the whole model
   * @param shelfBytes of each stage
   */
  EngineRing(
      Path directory, Path model, List<Integer> starts, List<Long> shelfBytes, List<String> flags)
      throws Exception {
    GgufModel whole = GgufModel.open(model);
    List<Readiness> readiness = new ArrayList<>();
    for (int i = 0; i < starts.size(); i++) {
      List<String> own = new ArrayList<>(flags);
      own.addAll(List.of("--model", file(directory, whole, starts, i).toString()));
      own.addAll(List.of("--shelf-bytes", shelfBytes.get(i).toString()));
      if (starts.size() > 1) {
        String place = i == 0 ? "first" : i + 1 == starts.size() ? "last" : "middle";
        own.addAll(List.of("--stage", place, "--stages", String.valueOf(starts.size())));
      }
      if (starts.size() > 1 && i == 0) {
        Path lexicon = directory.resolve("lexicon.gguf");
        StageCut.lexicon(whole).write(model, lexicon);
        own.addAll(List.of("--lexicon", lexicon.toString()));
      }
      EngineClient engine = launch(directory, i, own);
      readiness.add(Readiness.of(engine));
    }
    for (Readiness engine : readiness) {
      engine.loaded().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }
    if (starts.size() > 1) {
      LocalRing.join(engines);
    }
    readiness.getFirst().ready().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  private static Path file(Path directory, GgufModel whole, List<Integer> starts, int stage)
      throws Exception {
    if (starts.size() == 1) {
      return whole.file().path();
    }
    Path file = directory.resolve("stage-" + stage + ".gguf");
    int end = stage + 1 < starts.size() ? starts.get(stage + 1) : whole.layers();
    new StageCut(starts.get(stage), end, whole.layers()).write(whole, file);
    return file;
  }

  private EngineClient launch(Path directory, int stage, List<String> flags) throws Exception {
    Path socket = directory.resolve(stage + ".sock");
    List<String> command = new ArrayList<>(JavaCommand.engine("warn"));
    // The main class and the class path stay the last.
    command.addAll(1, List.of("-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(flags);
    command.addAll(List.of("--socket", socket.toString()));
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(directory.resolve(stage + ".log").toFile())
            .start();
    processes.add(process);
    while (!Files.exists(socket)) {
      if (process.waitFor(5, TimeUnit.MILLISECONDS)) {
        throw new IllegalStateException(Files.readString(directory.resolve(stage + ".log")));
      }
    }
    EngineClient engine = new EngineClient(socket);
    engines.add(engine);
    return engine;
  }

  /** Bytes in memory of each process. */
  List<Long> residentBytes() {
    return processes.stream().map(process -> ProcessMemory.residentBytes(process.pid())).toList();
  }

  /** Begins an answer to a prompt; done when it is. */
  CompletableFuture<Void> answer(String prompt, int tokens) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    engines
        .getFirst()
        .generate(
            Generation.newBuilder()
                .setText(prompt)
                .setMaxTokens(tokens)
                .setSampling(Sampling.newBuilder().setTemperature(0))
                .build(),
            "test",
            List.of(),
            new ClientResponseObserver<GenerateRequest, GenerationEvent>() {
              @Override
              public void beforeStart(ClientCallStreamObserver<GenerateRequest> request) {}

              @Override
              public void onNext(GenerationEvent event) {
                if (event.hasFailed()) {
                  done.completeExceptionally(
                      new IllegalStateException(event.getFailed().getMessage()));
                }
              }

              @Override
              public void onError(Throwable broken) {
                done.completeExceptionally(
                    new IllegalStateException(Status.fromThrowable(broken).toString(), broken));
              }

              @Override
              public void onCompleted() {
                done.complete(null);
              }
            });
    return done;
  }

  @Override
  public void close() {
    engines.forEach(EngineClient::close);
    processes.forEach(Process::destroyForcibly);
    for (Process process : processes) {
      process.onExit().join();
    }
  }
}
