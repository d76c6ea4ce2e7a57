package dev.cloister.cli.quickstart;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.process.ChildProcess;
import dev.cloister.cli.process.Shutdown;
import dev.cloister.cli.process.TemporaryDirectory;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cloister quickstart}. */
@Command(
    name = "quickstart",
    description = {
      "Start a cluster on this machine with the demo model.",
      "A coordinator and two agents, each a process of its own, joined by mutual TLS. Stays until"
          + " Ctrl-C."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  cloister quickstart",
      "  cloister quickstart --agents 3 --api-port 9090",
      "  cloister quickstart --agents 3 --split 3",
      "  cloister quickstart --once --prompt 'What is the capital of France?'"
    })
public final class QuickstartCommand implements Callable<Integer> {
  private static final int DEFAULT_API_PORT = 8080;

  /** With the pauses in between, about a minute. */
  private static final int MOST_ATTEMPTS = 1_200;

  @Spec private CommandSpec spec;

  @Option(names = "--once", description = "Ask one question, print the answer alone, and end.")
  private boolean once;

  @Option(names = "--prompt", paramLabel = "TEXT", description = "The question of --once.")
  private @Nullable String prompt;

  @Option(
      names = "--agents",
      paramLabel = "N",
      defaultValue = "2",
      description = "How many agents (default: ${DEFAULT-VALUE}; at most 16).")
  private int agents;

  @Option(
      names = "--split",
      paramLabel = "N",
      description = "Spread the model's layers over so many of the agents (default: none).")
  private @Nullable Integer split;

  @Option(
      names = "--api-port",
      paramLabel = "PORT",
      description = "The port of the HTTP API (default: 8080; with --once, any free one).")
  private @Nullable Integer apiPort;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Where the cluster keeps its state (default: a temporary directory).")
  private @Nullable Path data;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (once != (prompt != null)) {
      throw new CommandFailedException(
          ExitCode.USAGE, once ? "--once needs --prompt TEXT" : "--prompt needs --once");
    }
    if (prompt != null && prompt.isBlank()) {
      throw new CommandFailedException(ExitCode.USAGE, "--prompt is empty");
    }
    if (agents < 1 || agents > 16) {
      throw new CommandFailedException(
          ExitCode.USAGE, "--agents is " + agents + " (expected: 1 to 16)");
    }
    if (split != null && (split < 2 || split > agents)) {
      throw new CommandFailedException(
          ExitCode.USAGE,
          "--split is %d (expected: 2 to %d, the number of agents)".formatted(split, agents));
    }
    int port = apiPort != null ? apiPort : once ? 0 : DEFAULT_API_PORT;
    Path directory =
        data != null ? data.toAbsolutePath() : Files.createTempDirectory("cloister-quickstart-");
    AtomicReference<@Nullable LocalCluster> running = new AtomicReference<>();
    AtomicBoolean ended = new AtomicBoolean();
    Runnable end =
        () -> {
          if (!ended.getAndSet(true)) {
            end(running.get(), directory);
          }
        };
    Shutdown.closeAtExit(end::run);
    LocalCluster cluster;
    try {
      cluster = LocalCluster.start(directory, agents, split, port, this::progress);
    } catch (RuntimeException e) {
      if (String.valueOf(e.getMessage()).contains(directory.toString())) {
        // It names a log; whoever reads that may want to read the log.
        ended.set(true);
      }
      throw e;
    }
    running.set(cluster);
    try {
      if (prompt != null) {
        spec.commandLine()
            .getOut()
            .println(ask(cluster.api(), cluster.apiKey(), prompt, cluster::requireAgents));
      } else {
        cluster.awaitReady(split == null ? agents : 1);
        announce(cluster);
        watch(cluster);
      }
      return ExitCode.OK;
    } finally {
      end.run();
    }
  }

  private void end(@Nullable LocalCluster cluster, Path directory) {
    if (cluster != null && data == null) {
      cluster.kill();
    } else if (cluster != null) {
      cluster.close();
    }
    removeTemporary(directory);
  }

  private void progress(String step) {
    spec.commandLine().getErr().println(step);
  }

  /**
   * Through the whole path, as any program would. While no agent has joined yet the API answers
   * 503; from then on it holds the request until the model is loaded.
   *
   * @param beforeAgain called before each new attempt
   */
  static String ask(String api, String key, String question, Runnable beforeAgain)
      throws IOException, InterruptedException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode body = mapper.createObjectNode();
    body.put("model", LocalCluster.MODEL);
    body.put("temperature", 0);
    body.putArray("messages").addObject().put("role", "user").put("content", question);
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(api + "/v1/chat/completions"))
            .header("content-type", "application/json")
            .header("authorization", "Bearer " + key)
            .timeout(Duration.ofMinutes(2))
            .POST(HttpRequest.BodyPublishers.ofByteArray(mapper.writeValueAsBytes(body)))
            .build();
    try (HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
      for (int attempt = 1; ; attempt++) {
        HttpResponse<byte[]> response = http.send(request, HttpResponse.BodyHandlers.ofByteArray());
        JsonNode answer = mapper.readTree(response.body());
        if (response.statusCode() == 200) {
          return answer.path("choices").path(0).path("message").path("content").asText();
        }
        if (response.statusCode() != 503 || attempt == MOST_ATTEMPTS) {
          throw new CommandFailedException(
              ExitCode.GENERAL, answer.path("error").path("message").asText());
        }
        beforeAgain.run();
        LocalCluster.pause();
      }
    }
  }

  private void announce(LocalCluster cluster) {
    String key = cluster.apiKey();
    PrintWriter out = spec.commandLine().getOut();
    out.println();
    out.println(
        "Cloister is running: a coordinator, "
            + agents
            + " agents, the demo model"
            + (split == null ? "." : " over " + split + " of them."));
    out.println();
    out.println("  API address   " + cluster.api() + "/v1");
    out.println("  API key       " + key);
    out.println("  Model         " + LocalCluster.MODEL);
    out.println();
    out.println("Ask it something:");
    out.println();
    out.println("  curl " + cluster.api() + "/v1/chat/completions \\");
    out.println("    -H 'Authorization: Bearer " + key + "' \\");
    out.println("    -H 'Content-Type: application/json' \\");
    out.println(
        "    -d '{\"model\": \""
            + LocalCluster.MODEL
            + "\", \"messages\": [{\"role\": \"user\", \"content\": \"What is the capital of"
            + " France?\"}]}'");
    out.println();
    out.println("Look at it from another terminal:");
    out.println();
    out.println("  cloister node list --profile " + cluster.profile());
    out.println("  cloister chat --profile " + cluster.profile());
    out.println();
    out.println("Stop with Ctrl-C.");
  }

  /** Stays as long as the coordinator does, and tells of agents that end. */
  private void watch(LocalCluster cluster) throws InterruptedException {
    ChildProcess coordinator = cluster.processes().getFirst();
    Set<String> missed = new HashSet<>();
    while (coordinator.isAlive()) {
      for (ChildProcess process : cluster.processes()) {
        if (!process.isAlive() && missed.add(process.name())) {
          progress(process.name() + " ended; the cluster goes on without it");
        }
      }
      Thread.sleep(250);
    }
    throw coordinator.failed();
  }

  /** A directory the user named stays. */
  private void removeTemporary(Path directory) {
    if (data == null) {
      TemporaryDirectory.remove(directory);
    }
  }
}
