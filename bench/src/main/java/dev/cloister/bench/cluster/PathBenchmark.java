package dev.cloister.bench.cluster;

import dev.cloister.bench.Report;
import dev.cloister.bench.Row;
import dev.cloister.bench.ScratchDirectory;
import dev.cloister.bench.Turns;
import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.coordinator.labels.Labels;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.GgufException;
import dev.cloister.engine.gguf.GgufFile;
import dev.cloister.engine.gguf.TensorType;
import dev.cloister.engine.gguf.random.RandomModel;
import dev.cloister.engine.gguf.random.RandomModel.Shape;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What the whole path (HTTP client, gateway, coordinator, agent) adds to an engine, and what a
 * caller sees of the loss of a node. The path and the engine alone are asked in turns, the same
 * question by the same caller: it is one engine process, the agent's, so that there is no
 * difference but the way to it.
 */
public final class PathBenchmark {
  private static final String TEXT = "Count from 1 to 30.";

  /** Behind so many tokens a node is killed. */
  private static final int KILLED_BEHIND = 100;

  /**
   * Requests of each way before anything is measured. Until then a new coordinator runs code that
   * is not compiled yet, or is being compiled beside it: its first thousand requests take 5 ms.
   */
  private static final int WARM_UP = 15_000;

  /** The same where requests take long. */
  private static final int SHORT_WARM_UP = 500;

  private final Settings settings;
  private final PrintWriter progress;
  private final Map<String, Row> rows = new LinkedHashMap<>();

  /**
   * What is measured with.
   *
   * @param command what starts {@code cloister}, without arguments
   * @param libraryCache where native libraries are kept
   * @param demoModel the small model that comes with Cloister
   * @param quick whether there are fewer runs, and a smaller model stands in for the one of a
   *     billion parameters
   */
  public record Settings(List<String> command, Path libraryCache, Path demoModel, boolean quick) {
    public Settings {
      command = List.copyOf(command);
    }
  }

  /**
   * @param progress hears what is being measured
   */
  public PathBenchmark(Settings settings, PrintWriter progress) {
    this.settings = settings;
    this.progress = progress;
  }

  /**
   * Measures and reports; takes minutes.
   *
   * @param json gets the rows too, unless null
   */
  public void run(PrintWriter out, @Nullable Path json)
      throws IOException, InterruptedException, GgufException {
    say("starting a cluster with the demo model");
    Path demo = settings.demoModel();
    try (ProcessCluster cluster = new ProcessCluster(settings.command(), "demo", demo)) {
      cluster.join("desk", settings.libraryCache());
      try (Ways ways = new Ways(cluster, "desk")) {
        Question question = endless(demo, "demo", 256);
        warmUp(ways, question, WARM_UP);
        rates(ways, question, 0.80);
        firstTokens(ways, question.withMaxTokens(1));
      }
      cluster.join("rack", settings.libraryCache());
      pauses(cluster, endless(demo, "demo", 2 * KILLED_BEHIND));
    }
    try (ScratchDirectory scratch = new ScratchDirectory()) {
      say("writing a model with random weights");
      Path random = scratch.path().resolve("random.gguf");
      Shape shape =
          settings.quick() ? new Shape(8, 1024, 16, 4, 4096, 32_000, 8192) : Shape.BILLION;
      new RandomModel(Architecture.LLAMA, shape, TensorType.Q4_0, true, 1).write(random);
      try (ProcessCluster cluster = new ProcessCluster(settings.command(), "billion", random)) {
        cluster.join("desk", settings.libraryCache());
        try (Ways ways = new Ways(cluster, "desk")) {
          Question question = endless(random, "billion", settings.quick() ? 24 : 32);
          warmUp(ways, question, SHORT_WARM_UP);
          rates(ways, question, 0.98);
        }
      }
    }
    List<Row> all = List.copyOf(rows.values());
    Report.print(out, all);
    out.flush();
    if (json != null) {
      Report.write(json, "path", "cloister bench path", all);
    }
  }

  /** A question whose answer goes on to its limit: the token that ends it is not to be chosen. */
  private static Question endless(Path file, String model, int tokens) throws GgufException {
    OptionalLong end = GgufFile.open(file).integer("tokenizer.ggml.eos_token_id");
    return new Question(
        model, TEXT, tokens, end.isEmpty() ? Map.of() : Map.of((int) end.getAsLong(), -100f));
  }

  /** The two ways to one engine. */
  private static final class Ways implements AutoCloseable {
    final HttpCaller path;
    final EngineCaller engine;

    Ways(ProcessCluster cluster, String agent) throws IOException {
      path = new HttpCaller(cluster.api(), cluster.key().key());
      engine =
          new EngineCaller(
              cluster.agent(agent).socket(),
              Tenant.ofApiKey(cluster.key().id(), Labels.NONE).name());
    }

    @Override
    public void close() {
      path.close();
      engine.close();
    }
  }

  private void warmUp(Ways ways, Question question, int requests)
      throws IOException, InterruptedException {
    say("%s model: warming up".formatted(question.model()));
    Question one = question.withMaxTokens(1);
    for (int i = 0; i < (settings.quick() ? requests / 5 : requests); i++) {
      var _ = ways.path.ask(one);
      var _ = ways.engine.ask(one);
    }
  }

  private void rates(Ways ways, Question question, double target)
      throws IOException, InterruptedException {
    String model = question.model();
    for (int run = 0; run <= (settings.quick() ? 2 : 5); run++) {
      say("%s model: the path and the engine in turns, run %d".formatted(model, run));
      List<Double> through = new ArrayList<>();
      double ratio =
          Turns.ratio(
              turn -> {
                through.add(ways.path.ask(question).tokensPerSecond());
                return through.getLast();
              },
              turn -> ways.engine.ask(question).tokensPerSecond());
      if (run > 0) {
        add("tokens-vs-engine-" + model, "ratio", target, "higher", ratio);
        double median = Row.percentile(through, 50);
        add("tokens-" + model, "tokens/s", Double.NaN, "higher", median);
      }
    }
  }

  private void firstTokens(Ways ways, Question question) throws IOException, InterruptedException {
    for (int run = 1; run <= (settings.quick() ? 2 : 5); run++) {
      say("first token, run %d".formatted(run));
      List<Double> added = new ArrayList<>();
      List<Double> alone = new ArrayList<>();
      for (int i = 0; i < (settings.quick() ? 200 : 500); i++) {
        boolean first = i % 2 == 0;
        double before = first ? ways.engine.ask(question).millisToFirstToken() : 0;
        double path = ways.path.ask(question).millisToFirstToken();
        alone.add(first ? before : ways.engine.ask(question).millisToFirstToken());
        added.add(path - alone.getLast());
      }
      add("first-token-added", "ms", 2, "lower", Row.percentile(added, 50));
      add("first-token-added-99th-percentile", "ms", 8, "lower", Row.percentile(added, 99));
      double engine = Row.percentile(alone, 50);
      add("first-token-engine-alone", "ms", Double.NaN, "lower", engine);
    }
  }

  /** The longest time between two pieces of an answer whose node is killed. */
  private void pauses(ProcessCluster cluster, Question question)
      throws IOException, InterruptedException {
    List<Double> pauses = new ArrayList<>();
    try (HttpCaller caller = new HttpCaller(cluster.api(), cluster.key().key())) {
      int kills = settings.quick() ? 3 : 30;
      for (int kill = 1; kill <= kills; kill++) {
        say("a node is killed, %d of %d".formatted(kill, kills));
        List<ProcessCluster.Agent> killed = new ArrayList<>();
        TimedAnswer answer =
            caller.ask(
                question,
                (node, chunks) -> {
                  // The first chunk names the role.
                  if (chunks == KILLED_BEHIND + 1) {
                    killed.add(cluster.agent(node));
                    killed.getFirst().kill();
                  }
                });
        if (killed.isEmpty() || answer.tokens() != question.maxTokens()) {
          throw new IOException(
              "an answer whose node was killed has %d tokens (expected: %d)"
                  .formatted(answer.tokens(), question.maxTokens()));
        }
        pauses.add(answer.longestPauseSeconds());
        killed.getFirst().restart();
      }
    }
    pauses.forEach(pause -> add("pause-when-killed", "s", 1, "lower", pause));
    add("pause-when-killed-95th-percentile", "s", 2, "lower", Row.percentile(pauses, 95));
  }

  private void add(String id, String unit, double target, String better, double value) {
    rows.merge(id, new Row(id, unit, target, better, List.of(value)), Row::and);
  }

  private void say(String what) {
    progress.println(what);
    progress.flush();
  }
}
