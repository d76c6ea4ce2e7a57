package dev.cloister.cli.quickstart;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.engine.LocalRing;
import dev.cloister.agent.engine.Readiness;
import dev.cloister.cli.argument.Directories;
import dev.cloister.engine.Deployment;
import dev.cloister.engine.ModelLoading;
import dev.cloister.engine.generation.AnswerPart;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.generation.prompt.ChatMessage;
import dev.cloister.engine.generation.prompt.Prompt;
import dev.cloister.engine.gguf.GgufModel;
import dev.cloister.engine.gguf.StageCut;
import dev.cloister.engine.model.StagePart;
import dev.cloister.engine.server.EngineServer;
import dev.cloister.engine.stage.Step.Precision;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** What runs inside engine processes, without one. */
final class EngineRehearsal {
  private EngineRehearsal() {}

  /** An engine with all of the model. */
  static void whole(Path directory, Path demo) throws Exception {
    Deployment deployment = Deployment.defaults(Directories.libraryCache());
    LoadedModel model = load(deployment, demo);
    Path socket = directory.resolve("engine.sock");
    try (EngineServer _ = EngineServer.start(socket, CompletableFuture.completedFuture(model));
        EngineClient client = new EngineClient(socket)) {
      answer(model, client);
    }
  }

  /** Two engines with half of the layers each. */
  static void stages(Path directory, Path demo) throws Exception {
    GgufModel whole = GgufModel.open(demo);
    int half = whole.layers() / 2;
    Path lexicon = directory.resolve("lexicon.gguf");
    StageCut.lexicon(whole).write(demo, lexicon);
    Path[] files = {directory.resolve("first.gguf"), directory.resolve("last.gguf")};
    new StageCut(0, half, whole.layers()).write(whole, files[0]);
    new StageCut(half, whole.layers(), whole.layers()).write(whole, files[1]);
    LoadedModel first = load(stage(StagePart.FIRST, Optional.of(lexicon)), files[0]);
    LoadedModel last = load(stage(StagePart.LAST, Optional.empty()), files[1]);
    Path[] sockets = {directory.resolve("first.sock"), directory.resolve("last.sock")};
    try (EngineServer _ = EngineServer.start(sockets[0], CompletableFuture.completedFuture(first));
        EngineServer _ = EngineServer.start(sockets[1], CompletableFuture.completedFuture(last));
        EngineClient one = new EngineClient(sockets[0]);
        EngineClient other = new EngineClient(sockets[1])) {
      LocalRing.join(List.of(one, other));
      answer(first, one);
    }
  }

  private static Deployment stage(StagePart part, Optional<Path> lexicon) {
    return Deployment.defaults(Directories.libraryCache())
        .with(new Deployment.Stage(part, 2, lexicon, Precision.F32));
  }

  private static LoadedModel load(Deployment deployment, Path file) throws Exception {
    return new ModelLoading(deployment, Clock.system(ZoneId.systemDefault()), System::nanoTime)
        .load(file, part -> {});
  }

  private static void answer(LoadedModel model, EngineClient client) throws Exception {
    CompletableFuture<Void> answered = new CompletableFuture<>();
    Readiness.of(client).ready().get();
    var _ =
        model.generate(
            new Generation(
                new Prompt.Chat(
                    List.of(new ChatMessage(ChatMessage.Role.USER, PrepareCommand.QUESTION))),
                Sampling.GREEDY,
                0,
                List.of()),
            new Answer(answered));
    answered.get();
  }

  private record Answer(CompletableFuture<Void> answered) implements GenerationListener {
    @Override
    public void started(int promptTokens, int cachedTokens) {}

    @Override
    public void part(AnswerPart part) {}

    @Override
    public void finished(FinishReason reason, Usage usage) {
      answered.complete(null);
    }

    @Override
    public void failed(RequestException why) {
      answered.completeExceptionally(why);
    }
  }
}
