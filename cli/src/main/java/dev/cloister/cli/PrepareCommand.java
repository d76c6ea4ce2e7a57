package dev.cloister.cli;

import dev.cloister.agent.Agent;
import dev.cloister.agent.AgentConfig;
import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.engine.EngineListener;
import dev.cloister.agent.engine.ModelFacts;
import dev.cloister.agent.supervisor.NodeOptions;
import dev.cloister.client.ChatRequest;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.ModelInfo;
import dev.cloister.coordinator.Coordinator;
import dev.cloister.coordinator.CoordinatorConfig;
import dev.cloister.engine.Deployment;
import dev.cloister.engine.ModelLoading;
import dev.cloister.engine.generation.AnswerPart;
import dev.cloister.engine.generation.ChatMessage;
import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.Prompt;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.server.EngineServer;
import dev.cloister.identity.JoinToken;
import dev.cloister.identity.enrollment.Membership;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine.Command;

/**
 * {@code cloister prepare}: goes once through everything a start needs, all parts in this one
 * process, so that the JVM can record which classes that takes. The launcher runs it with {@code
 * -XX:AOTCacheOutput}; every later process then begins with those classes loaded and linked.
 */
@Command(name = "prepare", hidden = true)
final class PrepareCommand implements Callable<Integer> {
  private static final String QUESTION = "What is the capital of France?";

  @Override
  public Integer call() throws Exception {
    Path demo =
        Directories.demoModel()
            .orElseThrow(
                () -> new CommandFailedException(ExitCode.NOT_FOUND, "the demo model is missing"));
    Path directory = Files.createTempDirectory("cloister-prepare-");
    try {
      cluster(directory, demo);
    } finally {
      TemporaryDirectory.remove(directory);
    }
    return ExitCode.OK;
  }

  private static void cluster(Path directory, Path demo) throws Exception {
    InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    try (Coordinator coordinator =
            Coordinator.start(
                new CoordinatorConfig(
                    directory.resolve("coordinator"),
                    anyPort,
                    Optional.empty(),
                    anyPort,
                    Map.of(LocalCluster.MODEL, demo),
                    OptionalInt.empty(),
                    new GgufModelFiles(),
                    null,
                    null),
                Clock.systemUTC());
        CloisterClient client =
            CloisterClient.open(Directories.administrator(directory.resolve("coordinator")))) {
      String token =
          client.administration().createJoinToken("agent", Duration.ofMinutes(2), 1).token();
      Path data = directory.resolve("agent");
      Membership membership = Membership.join(JoinToken.parse(token), data, "prepare");
      try (Agent _ =
          Agent.start(
              new AgentConfig(
                  data,
                  JavaCommand.engine("warn"),
                  Directories.bundledModels(),
                  Directories.libraryCache(),
                  InstalledEngine.doesFlashAttention(Directories.libraryCache()),
                  NodeOptions.DEFAULT,
                  Optional.empty(),
                  Version.current()),
              membership,
              Clock.systemUTC())) {
        engine(directory, demo);
        while (client.models().stream().noneMatch(ModelInfo::isReady)) {
          Thread.sleep(20);
        }
        client.nodes();
        client.chat(ChatRequest.of(LocalCluster.MODEL, QUESTION));
        String key = client.administration().createApiKey("prepare").key();
        QuickstartCommand.ask(coordinator.apiUrl(), key, QUESTION, () -> {});
      }
    }
  }

  /** What runs inside an engine process, without one. */
  private static void engine(Path directory, Path demo) throws Exception {
    Path socket = directory.resolve("engine.sock");
    LoadedModel model =
        new ModelLoading(
                Deployment.defaults(Directories.libraryCache()),
                Clock.system(ZoneId.systemDefault()),
                System::nanoTime)
            .load(demo, part -> {});
    CompletableFuture<Void> ready = new CompletableFuture<>();
    CompletableFuture<Void> answered = new CompletableFuture<>();
    try (EngineServer _ = EngineServer.start(socket, CompletableFuture.completedFuture(model));
        EngineClient client = new EngineClient(socket)) {
      client.watch(new Watch(ready));
      ready.get();
      var _ =
          model.generate(
              new Generation(
                  new Prompt.Chat(List.of(new ChatMessage(ChatMessage.Role.USER, QUESTION))),
                  Sampling.GREEDY,
                  0,
                  List.of()),
              new Answer(answered));
      answered.get();
    }
  }

  private record Watch(CompletableFuture<Void> ready) implements EngineListener {
    @Override
    public void loading(double progress) {}

    @Override
    public void staged() {}

    @Override
    public void ready(ModelFacts facts) {
      ready.complete(null);
    }

    @Override
    public void failed(String message) {
      ready.completeExceptionally(new IllegalStateException(message));
    }

    @Override
    public void lost() {}
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
    public void failed(FailureCode code, String message) {
      answered.completeExceptionally(new IllegalStateException(message));
    }
  }
}
