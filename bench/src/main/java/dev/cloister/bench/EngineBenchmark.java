package dev.cloister.bench;

import dev.cloister.engine.Deployment;
import dev.cloister.engine.ModelLoading;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.generation.prompt.Prompt;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.TensorType;
import dev.cloister.engine.gguf.random.RandomModel;
import dev.cloister.engine.model.ContextOptions.KvType;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * How fast the engine is beside java-llama.cpp's Java API. The engines take turns in one process,
 * on the same file and with as many threads, so that what disturbs the machine disturbs both; a
 * ratio is made of the medians of neighbouring turns. Beside it: what a KV cache in Q8_0 changes of
 * answers.
 */
public final class EngineBenchmark {
  private static final int STREAMS = 8;
  private static final int SHARED_TOKENS = 1000;
  private static final int READ_TOKENS = 384;

  private final Settings settings;
  private final PrintWriter progress;
  private final Map<String, Row> rows = new LinkedHashMap<>();

  /**
   * What is measured with.
   *
   * @param demoModel the small model that comes with Cloister
   * @param libraryCache where native libraries are kept
   * @param engineCommand what starts an engine process, without arguments
   * @param threads of every engine
   * @param runs of every measurement
   * @param quick whether a smaller model stands in for the one of a billion parameters
   */
  public record Settings(
      Path demoModel,
      Path libraryCache,
      List<String> engineCommand,
      int threads,
      int runs,
      boolean quick) {
    public Settings {
      engineCommand = List.copyOf(engineCommand);
    }
  }

  /**
   * @param progress hears what is being measured
   */
  public EngineBenchmark(Settings settings, PrintWriter progress) {
    this.settings = settings;
    this.progress = progress;
  }

  /**
   * Measures and reports; takes minutes.
   *
   * @param json gets the rows too, unless null
   */
  public void run(PrintWriter out, @Nullable Path json)
      throws IOException, InterruptedException, ModelLoadException {
    try (ScratchDirectory scratch = new ScratchDirectory()) {
      Path q4 = scratch.path().resolve("q4.gguf");
      Path q8 = scratch.path().resolve("q8.gguf");
      kvTypes();
      say("writing models with random weights");
      random(TensorType.Q4_0).write(q4);
      againstJavaApi("random", q4, settings.quick() ? 24 : 32);
      againstJavaApi("demo", settings.demoModel(), 100);
      prefix(q4);
      hop();
      start();
      random(TensorType.Q8_0).write(q8);
      libraries("q4_0", q4);
      libraries("q8_0", q8);
    }
    List<Row> all = List.copyOf(rows.values());
    Report.print(out, all);
    if (json != null) {
      Report.write(json, "engine", "cloister bench engine", all);
    }
  }

  /** What a KV cache in Q8_0 changes of the demo model's greedy answers. */
  private void kvTypes() throws ModelLoadException, IOException, InterruptedException {
    say("KV cache in Q8_0 against F16");
    List<String> questions;
    try (InputStream in =
        Objects.requireNonNull(EngineBenchmark.class.getResourceAsStream("questions.txt"))) {
      questions =
          new String(in.readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .map(line -> line.replace("\\n", "\n"))
              .toList();
    }
    Deployment exact =
        Deployment.defaults(settings.libraryCache())
            .withContext(0, 1)
            .withThreads(settings.threads());
    int unchanged = 0;
    List<Double> differences = new ArrayList<>();
    try (LoadedModel f16 = load(settings.demoModel(), exact);
        LoadedModel q8 = load(settings.demoModel(), exact.with(KvType.Q8_0))) {
      for (String question : questions) {
        AnswerRecord one = AnswerRecord.of(f16, question);
        AnswerRecord other = AnswerRecord.of(q8, question);
        unchanged += one.tokens().equals(other.tokens()) ? 1 : 0;
        differences.addAll(one.differences(other));
      }
    }
    double difference =
        differences.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    String answers = "kv-q8_0-answers-unchanged-of-%d".formatted(questions.size());
    add(true, answers, "", 0, "higher", unchanged);
    String change = "kv-q8_0-change-of-logprob-over-%d-tokens".formatted(differences.size());
    add(true, change, "thousandths", 10, "lower", 1000 * difference);
  }

  private RandomModel random(TensorType type) {
    RandomModel.Shape shape =
        settings.quick()
            ? new RandomModel.Shape(8, 1024, 16, 4, 4096, 32_000, 8192)
            : RandomModel.Shape.BILLION;
    return new RandomModel(Architecture.LLAMA, shape, type, false, 1);
  }

  private LoadedModel load(Path file, Deployment.Library library, int context, int slots)
      throws ModelLoadException {
    Deployment deployment =
        Deployment.defaults(settings.libraryCache())
            .with(library)
            .withContext(context, slots)
            .withThreads(settings.threads());
    return load(file, deployment);
  }

  private static LoadedModel load(Path file, Deployment deployment) throws ModelLoadException {
    return new ModelLoading(deployment, Clock.system(ZoneOffset.UTC), System::nanoTime)
        .load(file, part -> {});
  }

  private void againstJavaApi(String name, Path file, int tokens)
      throws ModelLoadException, IOException, InterruptedException {
    int context = name.equals("demo") ? 512 : 2048;
    boolean installed = false;
    try (LoadedModel javaApi = load(file, Deployment.Library.JNI, context, STREAMS);
        LoadedModel ours = load(file, Deployment.Library.B4916, context, STREAMS);
        LoadedModel best = load(file, Deployment.Library.AUTO, context, STREAMS)) {
      installed = !best.facts().engine().equals(ours.facts().engine());
      for (int run = -1; run < settings.runs(); run++) {
        say("%s model against the Java API, run %d".formatted(name, run + 1));
        boolean counts = run >= 0;
        int turn = Turns.MOST * (run + 1);
        add(
            counts,
            "single-stream-vs-java-api-" + name,
            1.00,
            ratio(ours, javaApi, (model, i) -> single(model, prompt(turn + i, 12, tokens))));
        Measured several =
            (model, i) ->
                TokenMeter.totalRate(TokenMeter.run(model, prompts(turn + i, STREAMS, 12, tokens)));
        add(counts, "8-streams-vs-java-api-" + name, 1.00, ratio(ours, javaApi, several));
        if (installed) {
          String row = "8-streams-best-library-vs-java-api-" + name;
          add(counts, row, 1.15, ratio(best, javaApi, several));
        }
        add(
            counts,
            "prompt-vs-java-api-" + name,
            1.00,
            ratio(ours, javaApi, (model, i) -> promptRate(model, turn + i)));
      }
    }
    if (!installed) {
      say("no library is installed: without \"cloister engine install\" a row is missing");
    }
  }

  private void prefix(Path file) throws ModelLoadException, InterruptedException {
    try (LoadedModel model = load(file, Deployment.Library.B4916, 2048, 1)) {
      for (int run = -1; run < settings.runs(); run++) {
        say("shared prefix, run %d".formatted(run + 1));
        String shared = words(100 + run, SHARED_TOKENS);
        double miss = firstToken(model, shared + words(200 + run, 20));
        double hit = firstToken(model, shared + words(300 + run, 20));
        add(run >= 0, "first-token-prefix-hit-vs-miss", "ratio", 0.15, "lower", hit / miss);
      }
    }
  }

  private static double firstToken(LoadedModel model, String prompt) throws InterruptedException {
    return TokenMeter.run(model, List.of(generation(prompt, 1, "same")))
        .getFirst()
        .secondsToFirstToken();
  }

  private void hop() throws ModelLoadException, IOException, InterruptedException {
    try (LoadedModel model = load(settings.demoModel(), Deployment.Library.B4916, 512, 1);
        HopMeter hop = new HopMeter(model)) {
      for (int run = -1; run < settings.runs(); run++) {
        say("hop from engine to agent, run %d".formatted(run + 1));
        HopMeter.Cost cost = hop.measure(20);
        boolean counts = run >= 0;
        add(counts, "agent-to-engine-hop-added-per-token", "ms", 0.10, "lower", cost.addedMillis());
        report(counts, "agent-to-engine-hop-latency", "ms", "lower", cost.latencyMillis());
      }
    }
  }

  private void start() throws IOException, InterruptedException {
    for (int run = -1; run < settings.runs(); run++) {
      say("start of an engine process, run %d".formatted(run + 1));
      EngineStart.Times times =
          EngineStart.measure(
              settings.engineCommand(), settings.demoModel(), settings.libraryCache());
      add(run >= 0, "engine-process-answers", "s", 1.00, "lower", times.answersSeconds());
      report(run >= 0, "engine-process-demo-model-ready", "s", "lower", times.readySeconds());
    }
  }

  private void libraries(String name, Path file)
      throws ModelLoadException, IOException, InterruptedException {
    try (LoadedModel old = load(file, Deployment.Library.B4916, 2048, 1);
        LoadedModel best = load(file, Deployment.Library.AUTO, 2048, 1)) {
      if (best.facts().engine().equals(old.facts().engine())) {
        return;
      }
      for (int run = -1; run < settings.runs(); run++) {
        say("libraries on %s, run %d".formatted(name, run + 1));
        int turn = Turns.MOST * (run + 1);
        String rows = "v0.5.0-vs-b4916-" + name;
        double tokens = ratio(best, old, (model, i) -> single(model, prompt(turn + i, 40, 32)));
        report(run >= 0, rows + "-tokens", "ratio", "higher", tokens);
        double prompts = ratio(best, old, (model, i) -> promptRate(model, turn + i));
        report(run >= 0, rows + "-prompt", "ratio", "higher", prompts);
      }
    }
  }

  /** A rate of a model; each turn has a prompt of its own, since what is known is not computed. */
  private interface Measured {
    double rate(LoadedModel model, int turn) throws InterruptedException;
  }

  /** One model's rate over another's. */
  private static double ratio(LoadedModel model, LoadedModel against, Measured measured)
      throws IOException, InterruptedException {
    return Turns.ratio(turn -> measured.rate(model, turn), turn -> measured.rate(against, turn));
  }

  private static double single(LoadedModel model, Generation generation)
      throws InterruptedException {
    return TokenMeter.run(model, List.of(generation)).getFirst().rate();
  }

  private static double promptRate(LoadedModel model, int seed) throws InterruptedException {
    Generation reading = prompt(-seed - 1, READ_TOKENS, 1);
    TokenMeter meter = TokenMeter.run(model, List.of(reading)).getFirst();
    return meter.promptTokens() / meter.secondsToFirstToken();
  }

  private static List<Generation> prompts(int run, int count, int promptTokens, int tokens) {
    return IntStream.range(0, count)
        .mapToObj(i -> prompt(1_000_000 * (i + 1) + run, promptTokens, tokens))
        .toList();
  }

  /** A prompt of about so many tokens that no other run has, for a tenant of its own. */
  private static Generation prompt(int seed, int promptTokens, int tokens) {
    return generation(words(seed, promptTokens), tokens, "run" + seed);
  }

  private static Generation generation(String prompt, int tokens, String tenant) {
    return new Generation(
        new Prompt.Text(prompt),
        Sampling.GREEDY,
        tokens,
        List.of(),
        new dev.cloister.engine.generation.prompt.AnswerFormat.Text(),
        OptionalInt.empty(),
        tenant);
  }

  /** Letters and digits, which every vocabulary has as tokens. */
  private static String words(int seed, int tokens) {
    Random random = new Random(seed);
    StringBuilder text = new StringBuilder(tokens);
    for (int i = 0; i < tokens; i++) {
      text.append((char) ('0' + random.nextInt(10)));
    }
    return text.toString();
  }

  private void add(boolean counts, String id, double target, double value) {
    add(counts, id, "ratio", target, "higher", value);
  }

  private void add(
      boolean counts, String id, String unit, double target, String better, double value) {
    if (counts) {
      rows.merge(id, new Row(id, unit, target, better, List.of(value)), Row::and);
    }
  }

  /** A row without a target. */
  private void report(boolean counts, String id, String unit, String better, double value) {
    add(counts, id, unit, Double.NaN, better, value);
  }

  private void say(String what) {
    progress.println(what);
    progress.flush();
  }
}
