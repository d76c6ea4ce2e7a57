package dev.cloister.bench.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cloister.bench.ScratchDirectory;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.admin.NewApiKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A coordinator and agents on this machine, each a process of its own, on free ports, with one
 * model. They end with this process, however it ends. Not thread-safe.
 */
final class ProcessCluster implements AutoCloseable {
  private static final Duration TOKEN_LIFETIME = Duration.ofMinutes(30);
  private static final long LONGEST_START_SECONDS = 120;
  private static final long POLL_MILLIS = 20;

  private final List<String> command;
  private final String model;
  private final ScratchDirectory scratch = new ScratchDirectory();
  private final Map<String, Agent> agents = new LinkedHashMap<>();
  private final Process coordinator;
  private final String api;
  private final CloisterClient admin;
  private final NewApiKey key;

  /**
   * Starts the coordinator.
   *
   * @param command what starts {@code cloister}, without arguments
   * @param model its name in the catalog
   * @throws IOException if it does not start
   */
  ProcessCluster(List<String> command, String model, Path file) throws IOException {
    this.command = List.copyOf(command);
    this.model = model;
    coordinator =
        start(
            "coordinator",
            Map.of(),
            List.of(
                "coordinator",
                "start",
                "--json",
                // Benchmarks are run on laptops too.
                "--no-pause-on-battery",
                "--port",
                "0",
                "--api-port",
                "0",
                "--data",
                scratch.path().resolve("coordinator").toString(),
                "--model",
                model + "=" + file.toAbsolutePath()));
    @Nullable String announcement = coordinator.inputReader(StandardCharsets.UTF_8).readLine();
    if (announcement == null) {
      throw ended("coordinator");
    }
    JsonNode up = new ObjectMapper().readTree(announcement);
    api = up.path("api").asText();
    admin = CloisterClient.open(Path.of(up.path("admin_profile").asText()));
    key = admin.administration().createApiKey("bench");
  }

  private Process start(String name, Map<String, String> environment, List<String> arguments)
      throws IOException {
    List<String> line = new ArrayList<>(command);
    line.addAll(arguments);
    line.add("--exit-with-parent");
    ProcessBuilder builder =
        new ProcessBuilder(line)
            .redirectError(ProcessBuilder.Redirect.appendTo(log(name).toFile()));
    builder.environment().putAll(environment);
    return builder.start();
  }

  private Path log(String name) {
    return scratch.path().resolve(name + ".log");
  }

  /** Why a process ended that was to stay: what it said last. */
  private IOException ended(String name) throws IOException {
    String last = Files.readAllLines(log(name)).stream().reduce("", (before, line) -> line);
    return new IOException(name + " ended unexpectedly: " + last);
  }

  /**
   * Makes a join token for agents.
   *
   * @param uses how many may join with it
   */
  String joinToken(int uses) {
    return admin.administration().createJoinToken("agent", TOKEN_LIFETIME, uses).token();
  }

  /**
   * Starts an agent and waits until it answers.
   *
   * @throws IOException if it ends, or takes minutes
   */
  Agent join(String name, Path libraryCache) throws IOException, InterruptedException {
    Agent agent = new Agent(name, libraryCache);
    agents.put(name, agent);
    agent.start();
    return agent;
  }

  /** The agent of that name. */
  Agent agent(String name) {
    @Nullable Agent agent = agents.get(name);
    if (agent == null) {
      throw new IllegalArgumentException(
          "agent '" + name + "' (expected: one of " + agents.keySet() + ")");
    }
    return agent;
  }

  /** Base address of the HTTP API. */
  String api() {
    return api;
  }

  /** A key of the HTTP API. */
  NewApiKey key() {
    return key;
  }

  Process coordinator() {
    return coordinator;
  }

  /** Kills all there is. */
  @Override
  public void close() throws IOException {
    admin.close();
    for (Agent agent : agents.values()) {
      agent.kill();
      agent.awaitEnd();
    }
    coordinator.destroyForcibly().onExit().join();
    scratch.close();
  }

  /** An agent that is a member. */
  final class Agent {
    private final String name;
    private final Path data;
    private final Path libraryCache;
    private @Nullable Process process;

    /** The agent before what it started. */
    private List<ProcessHandle> processes = List.of();

    Agent(String name, Path libraryCache) {
      this.name = name;
      this.data = scratch.path().resolve(name);
      this.libraryCache = libraryCache;
    }

    /** Starts it, for the first time or again, and waits until it answers. */
    void start() throws IOException, InterruptedException {
      Process started =
          ProcessCluster.this.start(
              name,
              Map.of("CLOISTER_JOIN_TOKEN", joinToken(1)),
              List.of(
                  "agent",
                  "start",
                  "--data",
                  data.toString(),
                  "--name",
                  name,
                  "--library-cache",
                  libraryCache.toString()));
      process = started;
      long latest = System.nanoTime() + TimeUnit.SECONDS.toNanos(LONGEST_START_SECONDS);
      while (!answers()) {
        if (started.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
          throw ended(name);
        }
        if (System.nanoTime() > latest) {
          throw new IOException(
              "%s did not load the model within %d s".formatted(name, LONGEST_START_SECONDS));
        }
      }
      processes = Stream.concat(Stream.of(started.toHandle()), started.descendants()).toList();
    }

    private boolean answers() {
      return admin.nodes().stream()
          .anyMatch(node -> node.name().equals(name) && node.readyModels().contains(model));
    }

    /** Where its engine listens. */
    Path socket() throws IOException {
      Path directory = data.resolve("run");
      try (Stream<Path> files = Files.list(directory)) {
        return files
            .findFirst()
            .orElseThrow(
                () ->
                    new IOException(
                        directory
                            + " holds no socket of an engine (expected: one); have"
                            + " java.io.tmpdir name a shorter directory"));
      }
    }

    /** Ends it and its engine as {@code kill -9} does, without waiting for that. */
    void kill() {
      processes.forEach(ProcessHandle::destroyForcibly);
    }

    /** Waits until it is gone, and starts it again. */
    void restart() throws IOException, InterruptedException {
      awaitEnd();
      start();
    }

    private void awaitEnd() {
      if (process != null) {
        process.onExit().join();
      }
    }
  }
}
