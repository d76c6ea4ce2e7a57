package dev.cloister.cli.quickstart;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.process.ChildProcess;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.ModelInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A coordinator and some agents on this machine, each a process of its own. */
final class LocalCluster implements AutoCloseable {
  static final String MODEL = "cloister-tiny";
  private static final Duration POLL = Duration.ofMillis(50);
  private static final Duration LONGEST_START = Duration.ofSeconds(60);

  private final List<ChildProcess> agents = new ArrayList<>();
  private final ChildProcess coordinator;
  private final String api;
  private final String apiKey;
  private final Path profile;
  private final Consumer<String> progress;

  private LocalCluster(
      ChildProcess coordinator,
      List<ChildProcess> agents,
      String api,
      String apiKey,
      Path profile,
      Consumer<String> progress) {
    this.coordinator = coordinator;
    this.agents.addAll(agents);
    this.api = api;
    this.apiKey = apiKey;
    this.profile = profile;
    this.progress = progress;
  }

  /**
   * Starts the processes and has the agents enrol.
   *
   * @param split over how many agents the model is spread; null for none
   * @param apiPort 0 means any free one
   * @param progress is told each step
   * @throws CommandFailedException if a part does not start; nothing is left running
   */
  static LocalCluster start(
      Path data, int agentCount, @Nullable Integer split, int apiPort, Consumer<String> progress) {
    Path logs = data.resolve("logs");
    List<ChildProcess> started = new ArrayList<>();
    try {
      progress.accept("starting a coordinator and " + agentCount + " agents");
      List<String> command =
          new ArrayList<>(
              List.of(
                  "coordinator",
                  "start",
                  "--json",
                  "--exit-with-parent",
                  // Whoever tries it out on a laptop is not to wait for a socket.
                  "--no-pause-on-battery",
                  "--bootstrap",
                  String.valueOf(agentCount),
                  "--data",
                  data.resolve("coordinator").toString(),
                  "--port",
                  "0",
                  "--api-port",
                  String.valueOf(apiPort)));
      if (split != null) {
        command.addAll(List.of("--split", String.valueOf(split)));
      }
      ChildProcess coordinator = ChildProcess.start("coordinator", logs, command);
      started.add(coordinator);
      // Those without which nothing is answered start beside the coordinator and wait for their
      // tokens; the others would only take the cores from them.
      int needed = split == null ? 1 : split;
      List<ChildProcess> agents = new ArrayList<>();
      for (int i = 1; i <= needed; i++) {
        agents.add(startAgent(i, data, logs, started));
      }
      JsonNode up = new ObjectMapper().readTree(coordinator.firstLine());
      progress.accept("the coordinator is up; the agents enrol with join tokens");
      for (int i = 1; i <= agentCount; i++) {
        if (i > needed) {
          agents.add(startAgent(i, data, logs, started));
        }
        agents.get(i - 1).send(up.get("join_tokens").get(i - 1).asText());
      }
      return new LocalCluster(
          coordinator,
          agents,
          up.get("api").asText(),
          up.get("api_key").asText(),
          Path.of(up.get("admin_profile").asText()),
          progress);
    } catch (IOException e) {
      started.forEach(ChildProcess::close);
      throw new UncheckedIOException("the coordinator's announcement cannot be read", e);
    } catch (RuntimeException e) {
      started.forEach(ChildProcess::close);
      throw e;
    }
  }

  private static ChildProcess startAgent(
      int number, Path data, Path logs, List<ChildProcess> started) {
    String name = "agent-" + number;
    ChildProcess agent =
        ChildProcess.start(
            name,
            logs,
            List.of(
                "agent",
                "start",
                "--exit-with-parent",
                "--data",
                data.resolve(name).toString(),
                "--name",
                name,
                "--join",
                "-"));
    started.add(agent);
    return agent;
  }

  /**
   * Waits until so many agents have the model loaded.
   *
   * @throws CommandFailedException if an agent ends or it takes too long
   */
  void awaitReady(int count) {
    try (CloisterClient client = CloisterClient.open(profile)) {
      long attempts = LONGEST_START.dividedBy(POLL);
      for (long i = 0; i < attempts; i++) {
        List<ModelInfo.Replica> replicas =
            client.models().stream()
                .filter(model -> model.name().equals(MODEL))
                .flatMap(model -> model.replicas().stream())
                .toList();
        if (replicas.stream().filter(r -> r.state().equals("ready")).count() >= count) {
          progress.accept("the model is loaded");
          return;
        }
        for (ModelInfo.Replica replica : replicas) {
          if (replica.state().equals("failed")) {
            throw new CommandFailedException(ExitCode.GENERAL, replica.error());
          }
        }
        requireAgents();
        pause();
      }
    }
    throw new CommandFailedException(
        ExitCode.TIMED_OUT,
        "the model was not loaded within " + LONGEST_START.toSeconds() + " s; see the logs");
  }

  /**
   * @throws CommandFailedException if an agent ended
   */
  void requireAgents() {
    for (ChildProcess agent : agents) {
      if (!agent.isAlive()) {
        throw agent.failed();
      }
    }
  }

  static void pause() {
    try {
      Thread.sleep(POLL);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandFailedException(ExitCode.GENERAL, "interrupted");
    }
  }

  /** Base address of the HTTP API. */
  String api() {
    return api;
  }

  /** The administrator's profile. */
  Path profile() {
    return profile;
  }

  /** A key for the API. */
  String apiKey() {
    return apiKey;
  }

  /** The processes, the coordinator first. */
  List<ChildProcess> processes() {
    List<ChildProcess> all = new ArrayList<>();
    all.add(coordinator);
    all.addAll(agents);
    return all;
  }

  /** Ends everything at once; for a cluster whose data nobody wants any more. */
  void kill() {
    processes().parallelStream().forEach(ChildProcess::kill);
  }

  @Override
  public void close() {
    processes().forEach(ChildProcess::stop);
    processes().forEach(ChildProcess::close);
  }
}
