package dev.cloister.cli.quickstart;

import dev.cloister.agent.Agent;
import dev.cloister.agent.AgentConfig;
import dev.cloister.agent.courtesy.Policy;
import dev.cloister.agent.stage.Listening;
import dev.cloister.agent.supervisor.NodeOptions;
import dev.cloister.cli.argument.Directories;
import dev.cloister.cli.member.GgufModelFiles;
import dev.cloister.cli.member.InstalledEngine;
import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.Version;
import dev.cloister.cli.process.JavaCommand;
import dev.cloister.cli.process.Shutdown;
import dev.cloister.cli.process.TemporaryDirectory;
import dev.cloister.client.ChatRequest;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.ModelInfo;
import dev.cloister.coordinator.Coordinator;
import dev.cloister.coordinator.CoordinatorConfig;
import dev.cloister.coordinator.courtesy.CourtesyPolicy;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.token.JoinToken;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import picocli.CommandLine.Command;

/**
 * {@code cloister prepare}: goes once through everything a start needs, all parts in this one
 * process, so that the JVM can record which classes that takes. The launcher runs it with {@code
 * -XX:AOTCacheOutput}; every later process then begins with those classes loaded and linked.
 */
@Command(name = "prepare", hidden = true)
public final class PrepareCommand implements Callable<Integer> {
  static final String QUESTION = "What is the capital of France?";

  @Override
  public Integer call() throws Exception {
    Path demo =
        Directories.demoModel()
            .orElseThrow(
                () -> new CommandFailedException(ExitCode.NOT_FOUND, "the demo model is missing"));
    Path directory = Files.createTempDirectory("cloister-prepare-");
    // It has keys in it, which must not stay behind after Ctrl-C either.
    Shutdown.closeAtExit(() -> TemporaryDirectory.remove(directory));
    cluster(directory, demo);
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
                    CourtesyPolicy.NONE,
                    null,
                    null),
                Clock.systemUTC());
        CloisterClient client =
            CloisterClient.open(Directories.administrator(directory.resolve("coordinator")));
        Agent _ = agent(client, directory.resolve("agent-1"))) {
      EngineRehearsal.whole(directory, demo);
      EngineRehearsal.stages(directory, demo);
      await(client, ModelInfo::isReady);
      client.nodes();
      client.chat(ChatRequest.of(LocalCluster.MODEL, QUESTION));
      String key = client.administration().createApiKey("prepare").key();
      QuickstartCommand.ask(coordinator.apiUrl(), key, QUESTION, () -> {});
      try (Agent _ = agent(client, directory.resolve("agent-2"))) {
        client
            .administration()
            .configureModel(LocalCluster.MODEL, ModelInfo.Options.NONE.withSplit(2));
        await(client, PrepareCommand::isRing);
        QuickstartCommand.ask(coordinator.apiUrl(), key, QUESTION, () -> {});
      }
    }
  }

  private static Agent agent(CloisterClient client, Path data) throws Exception {
    String token =
        client.administration().createJoinToken("agent", Duration.ofMinutes(2), 1).token();
    Membership membership = Membership.join(JoinToken.parse(token), data, "prepare");
    return Agent.start(
        new AgentConfig(
            data,
            JavaCommand.engine("warn"),
            Directories.bundledModels(),
            Directories.libraryCache(),
            InstalledEngine.in(Directories.libraryCache()),
            NodeOptions.DEFAULT,
            OptionalLong.empty(),
            Policy.NONE,
            new Listening.Automatic(),
            Version.current()),
        membership,
        Clock.systemUTC());
  }

  private static void await(CloisterClient client, Predicate<ModelInfo> state)
      throws InterruptedException {
    while (client.models().stream().noneMatch(state)) {
      Thread.sleep(20);
    }
  }

  private static boolean isRing(ModelInfo model) {
    return model.replicas().stream()
        .anyMatch(replica -> replica.state().equals("ready") && replica.stage().isPresent());
  }
}
