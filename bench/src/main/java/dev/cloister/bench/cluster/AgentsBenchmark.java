package dev.cloister.bench.cluster;

import dev.cloister.agent.engine.IoThread;
import dev.cloister.agent.fingerprint.host.ProcessMemory;
import dev.cloister.bench.Report;
import dev.cloister.bench.Row;
import dev.cloister.bench.ScratchDirectory;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.token.JoinToken;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What a thousand agents cost a coordinator that has nothing else to do: real sessions over mutual
 * TLS, each with its own certificate, a load report each second, and one model loaded everywhere.
 */
public final class AgentsBenchmark {
  private static final int AGENTS = 1_000;
  private static final int JOIN_AT_ONCE = 4;
  private static final Duration LONGEST_OPENING = Duration.ofMinutes(5);
  private static final long POLL_MILLIS = 20;

  /** What compiles is compiled by then, and round trips are not asked for often any more. */
  private static final Duration SETTLING = Duration.ofSeconds(20);

  private final Settings settings;
  private final PrintWriter progress;
  private final LongAdder reports = new LongAdder();
  private final List<Double> opened = new ArrayList<>();
  private final List<Double> cpu = new ArrayList<>();
  private final List<Double> memory = new ArrayList<>();
  private final List<Double> reported = new ArrayList<>();

  /**
   * What is measured with.
   *
   * @param command what starts {@code cloister}, without arguments
   * @param demoModel the small model that comes with Cloister
   * @param quick whether the coordinator gets less time to settle
   */
  public record Settings(List<String> command, Path demoModel, boolean quick) {
    public Settings {
      command = List.copyOf(command);
    }
  }

  /**
   * @param progress hears what is being measured
   */
  public AgentsBenchmark(Settings settings, PrintWriter progress) {
    this.settings = settings;
    this.progress = progress;
  }

  /**
   * Measures and reports; takes minutes.
   *
   * @param json gets the rows too, unless null
   */
  public void run(PrintWriter out, @Nullable Path json) throws IOException, InterruptedException {
    List<SimulatedAgent> agents = new ArrayList<>();
    try (ProcessCluster cluster =
            new ProcessCluster(settings.command(), "demo", settings.demoModel());
        IoThread thread = new IoThread();
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
        ScratchDirectory scratch = new ScratchDirectory()) {
      try {
        say(AGENTS + " agents join");
        List<Membership> members = join(cluster, scratch.path());
        say("they open their sessions");
        long begin = System.nanoTime();
        for (Membership member : members) {
          SimulatedAgent agent = new SimulatedAgent(member, thread, timer, reports);
          agents.add(agent);
          agent.awaitWelcome();
        }
        awaitServing(agents, begin + LONGEST_OPENING.toNanos());
        opened.add((System.nanoTime() - begin) / 1e9);
        measure(cluster, agents);
        report(out, json);
      } finally {
        timer.shutdownNow();
        agents.forEach(SimulatedAgent::close);
      }
    }
  }

  private void report(PrintWriter out, @Nullable Path json) throws IOException {
    List<Row> rows =
        List.of(
            new Row("cpu-1000-agents", "% of a core", 25, "lower", cpu),
            new Row("memory-1000-agents", "MB", 256, "lower", memory),
            new Row("reports-1000-agents", "/s", Double.NaN, "higher", reported),
            new Row("opening-1000-agents", "s", Double.NaN, "lower", opened));
    Report.print(out, rows);
    out.flush();
    if (json != null) {
      Report.write(json, "agents", "cloister bench agents", rows);
    }
  }

  private static List<Membership> join(ProcessCluster cluster, Path directory)
      throws IOException, InterruptedException {
    JoinToken token = JoinToken.parse(cluster.joinToken(AGENTS));
    List<Callable<Membership>> joins =
        IntStream.range(0, AGENTS)
            .mapToObj(i -> "agent-" + i)
            .<Callable<Membership>>map(
                name -> () -> Membership.join(token, directory.resolve(name), name))
            .toList();
    List<Membership> members = new ArrayList<>();
    try (ExecutorService joining = Executors.newFixedThreadPool(JOIN_AT_ONCE)) {
      for (Future<Membership> joined : joining.invokeAll(joins)) {
        members.add(joined.get());
      }
    } catch (ExecutionException e) {
      throw new IOException("a simulated agent cannot join: " + e.getCause(), e);
    }
    return members;
  }

  /** Waits until all of them have a session and were told to have the model. */
  private static void awaitServing(List<SimulatedAgent> agents, long latest)
      throws IOException, InterruptedException {
    for (long serving = serving(agents); serving < AGENTS; serving = serving(agents)) {
      if (System.nanoTime() > latest) {
        throw new IOException(
            "%d agents have a session and the model (expected: %d)".formatted(serving, AGENTS));
      }
      Thread.sleep(POLL_MILLIS);
    }
  }

  private static long serving(List<SimulatedAgent> agents) {
    return agents.stream().filter(SimulatedAgent::isServing).count();
  }

  private void measure(ProcessCluster cluster, List<SimulatedAgent> agents)
      throws IOException, InterruptedException {
    Duration window = Duration.ofSeconds(settings.quick() ? 5 : 20);
    say("the coordinator settles");
    Thread.sleep(SETTLING);
    for (int run = 1; run <= 3; run++) {
      say("run %d of 3".formatted(run));
      Duration before = cpu(cluster.coordinator());
      long begin = System.nanoTime();
      long reportedBefore = reports.sum();
      Thread.sleep(window);
      double seconds = (System.nanoTime() - begin) / 1e9;
      Duration used = cpu(cluster.coordinator()).minus(before);
      cpu.add(100 * used.toNanos() / 1e9 / seconds);
      memory.add(ProcessMemory.residentBytes(cluster.coordinator().pid()) / 1e6);
      reported.add((reports.sum() - reportedBefore) / seconds);
    }
    // Whoever was not heard in time has lost its session.
    awaitServing(agents, System.nanoTime());
  }

  private static Duration cpu(Process process) throws IOException {
    return process
        .info()
        .totalCpuDuration()
        .orElseThrow(() -> new IOException("this system does not tell what a process computes"));
  }

  private void say(String what) {
    progress.println(what);
    progress.flush();
  }
}
