package dev.cloister.bench.split;

import dev.cloister.agent.fingerprint.host.MemorySpeed;
import dev.cloister.bench.Report;
import dev.cloister.bench.Row;
import dev.cloister.bench.ScratchDirectory;
import dev.cloister.coordinator.catalog.ModelFiles;
import dev.cloister.coordinator.placement.PipelinePlan;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.GgufException;
import dev.cloister.engine.gguf.GgufModel;
import dev.cloister.engine.gguf.StageCut;
import dev.cloister.engine.gguf.TensorType;
import dev.cloister.engine.gguf.random.RandomModel;
import dev.cloister.engine.gguf.random.RandomModel.Shape;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model in two stages, each an engine process with one thread on a core of its own, beside the
 * whole model on one core, and beside two whole models at once, one a core: what the machine gives
 * at most, since cores share the memory's bandwidth. All take turns, and a ratio is made of one
 * turn. Stages are joined by this process, which counts what goes between them and may hold it up.
 */
public final class SplitBenchmark {
  private static final int STREAMS = 8;
  private static final int SHORT_PROMPT = 8;
  private static final int CONTEXT = 2304;
  private static final int ONE_STREAM_TOKENS = 64;
  private static final int TOKENS = 48;
  private static final int WARM_UP_TOKENS = 400;
  private static final List<Integer> DELAYS_MILLIS = List.of(1, 5, 20);
  private static final int HOPS = 2;

  private final Settings settings;
  private final PrintWriter progress;
  private final Map<String, Row> rows = new LinkedHashMap<>();
  private double memorySpeed;

  /**
   * What is measured with.
   *
   * @param libraryCache where native libraries are kept
   * @param modelFiles reads what the models consist of
   * @param engineCommand what starts an engine process, without arguments
   * @param runs of every measurement, after some that are not counted
   * @param quick whether the greatest model, and one of the two types, is left out
   * @param promptTokens of the long prompt
   */
  public record Settings(
      Path libraryCache,
      ModelFiles modelFiles,
      List<String> engineCommand,
      int runs,
      boolean quick,
      int promptTokens) {
    public Settings {
      engineCommand = List.copyOf(engineCommand);
    }
  }

  /**
   * A model to measure.
   *
   * @param name its parameters
   * @param large whether issue 4 aims at anything with one stream of it
   */
  private record Size(String name, Shape shape, boolean large) {}

  private static final List<Size> SIZES =
      List.of(
          new Size("0.1b", new Shape(12, 768, 12, 12, 2048, 8192, 4096), false),
          new Size("0.5b", new Shape(24, 1280, 20, 4, 3456, 32_000, 4096), true),
          new Size("1.1b", Shape.BILLION, true));

  /**
   * @param progress hears what is being measured
   */
  public SplitBenchmark(Settings settings, PrintWriter progress) {
    this.settings = settings;
    this.progress = progress;
  }

  /**
   * Measures and reports; takes many minutes.
   *
   * @param json gets the rows too, unless null
   */
  public void run(PrintWriter out, @Nullable Path json)
      throws IOException, InterruptedException, GgufException {
    if (!PinnedEngine.pins()) {
      say("taskset is missing: nothing is pinned to a core");
    }
    // Before any file is written, which goes on for a while behind.
    memorySpeed = MemorySpeed.bytesPerSecond(Clock.systemUTC(), 1);
    for (Size size : settings.quick() ? SIZES.subList(0, 2) : SIZES) {
      for (TensorType type :
          settings.quick() ? List.of(TensorType.Q8_0) : List.of(TensorType.Q8_0, TensorType.Q4_0)) {
        measure(size, type);
      }
    }
    List<Row> all = List.copyOf(rows.values());
    Report.print(out, all);
    out.flush();
    if (json != null) {
      Report.write(json, "split", "cloister bench split", all);
    }
  }

  private void measure(Size size, TensorType type)
      throws IOException, InterruptedException, GgufException {
    String model = size.name() + "-" + type.name().toLowerCase(Locale.ROOT);
    say("writing " + model);
    try (ScratchDirectory scratch = new ScratchDirectory()) {
      Path folder = scratch.path();
      Path whole = folder.resolve("whole.gguf");
      new RandomModel(Architecture.LLAMA, size.shape(), type, false, 1).write(whole);
      GgufModel gguf = GgufModel.open(whole);
      PlannedModel planned =
          PlannedModel.of(settings.modelFiles(), whole, memorySpeed, CONTEXT, STREAMS);
      int cut = planned.cut();
      Path first = stage(gguf, 0, cut, folder.resolve("first.gguf"));
      Path last = stage(gguf, cut, gguf.layers(), folder.resolve("last.gguf"));
      Path lexicon = folder.resolve("lexicon.gguf");
      StageCut.lexicon(gguf).write(whole, lexicon);
      try (PinnedEngine one = whole(whole, 0);
          PinnedEngine other = whole(whole, 1);
          PinnedEngine head = later(first, 0, "first", planned, lexicon);
          PinnedEngine tail = later(last, 1, "last", planned, null)) {
        one.awaitReady();
        other.awaitReady();
        head.awaitLoaded();
        tail.awaitLoaded();
        try (RingRelay relay = new RingRelay(List.of(head, tail))) {
          head.awaitReady();
          // Java compiles a method once it has run a few hundred times: some hundred tokens.
          for (PinnedEngine engine : List.of(one, other, head)) {
            WireMeter.tokensPerSecond(
                WireMeter.ask(engine.client(), 0, 1, SHORT_PROMPT, WARM_UP_TOKENS));
          }
          for (int run = 1; run <= settings.runs(); run++) {
            say("%s, run %d of %d".formatted(model, run, settings.runs()));
            new Turn(model, run, one, other, head, relay, size, planned).measure();
          }
        }
      }
    }
  }

  private static Path stage(GgufModel model, int first, int end, Path to)
      throws GgufException, IOException {
    new StageCut(first, end, model.layers()).write(model, to);
    return to;
  }

  private PinnedEngine whole(Path file, int core) throws IOException, InterruptedException {
    return new PinnedEngine(settings.engineCommand(), core, flags(file, STREAMS));
  }

  /** Each stage is on the core of its number. */
  private PinnedEngine later(
      Path file, int stage, String part, PlannedModel planned, @Nullable Path lexicon)
      throws IOException, InterruptedException {
    List<String> flags = new ArrayList<>(flags(file, 2 * STREAMS));
    flags.addAll(List.of("--stage", part, "--stages", "2"));
    flags.addAll(List.of("--shelf-bytes", String.valueOf(planned.shelfBytes(stage))));
    if (lexicon != null) {
      flags.addAll(List.of("--lexicon", lexicon.toString()));
    }
    return new PinnedEngine(settings.engineCommand(), stage, flags);
  }

  private List<String> flags(Path file, int slots) {
    return List.of(
        "--model",
        file.toString(),
        "--library-cache",
        settings.libraryCache().toString(),
        "--batch-threads",
        "1",
        "--context",
        String.valueOf(CONTEXT),
        "--slots",
        String.valueOf(slots));
  }

  private final class Turn {
    private final String model;
    private final PinnedEngine one;
    private final PinnedEngine other;
    private final PinnedEngine head;
    private final RingRelay relay;
    private final Size size;
    private final PlannedModel planned;
    private int seed;

    Turn(
        String model,
        int run,
        PinnedEngine one,
        PinnedEngine other,
        PinnedEngine head,
        RingRelay relay,
        Size size,
        PlannedModel planned) {
      this.model = model;
      this.one = one;
      this.other = other;
      this.head = head;
      this.relay = relay;
      this.size = size;
      this.planned = planned;
      this.seed = 100 * run;
    }

    void measure() {
      oneStream();
      eightStreams();
      prompts();
      if (!size.large()) {
        delays();
      }
    }

    private void oneStream() {
      double whole = rate(one, 1, ONE_STREAM_TOKENS);
      relay.takeForwardBytes();
      List<WireMeter> meters = ask(head, 1, SHORT_PROMPT, ONE_STREAM_TOKENS);
      double split = WireMeter.tokensPerSecond(meters);
      // The prompt's tokens go through as well, the last one chosen does not.
      int states = meters.getFirst().promptTokens() + ONE_STREAM_TOKENS - 1;
      double extra =
          (double) relay.takeForwardBytes() / states - (double) size.shape().width() * Float.BYTES;
      add("one-stream-vs-whole", "ratio", size.large() ? 0.93 : Double.NaN, split / whole);
      add("one-stream", "tokens/s", Double.NaN, split);
      predicted("whole", planned.whole(), whole);
      predicted("split", planned.split(), split);
      put("wire-bytes-per-token-and-hop-above-states", "B", 64, "lower", extra);
    }

    private void predicted(String what, PipelinePlan plan, double tokensPerSecond) {
      double error = Math.abs(plan.secondsPerToken() * tokensPerSecond - 1);
      put("time-per-token-predicted-off-" + what, "of measured", 0.20, "lower", error);
    }

    private void eightStreams() {
      double whole = rate(one, STREAMS, TOKENS);
      double split = rate(head, STREAMS, TOKENS);
      List<WireMeter> here = ask(one, STREAMS, SHORT_PROMPT, TOKENS);
      List<WireMeter> there = ask(other, STREAMS, SHORT_PROMPT, TOKENS);
      double limit = WireMeter.tokensPerSecond(here) + WireMeter.tokensPerSecond(there);
      double sixteen = rate(head, 2 * STREAMS, TOKENS);
      add("limit-vs-whole-8-streams", "ratio", Double.NaN, limit / whole);
      add("8-streams-vs-whole", "ratio", Double.NaN, split / whole);
      add("16-streams-vs-limit", "ratio", 0.90, sixteen / limit);
      add("16-streams", "tokens/s", Double.NaN, sixteen);
    }

    private void prompts() {
      int length = settings.promptTokens();
      List<WireMeter> here = ask(one, 1, length, 1);
      List<WireMeter> there = ask(other, 1, length, 1);
      double limit = WireMeter.promptTokensPerSecond(here) + WireMeter.promptTokensPerSecond(there);
      double split = WireMeter.promptTokensPerSecond(ask(head, 1, length, 1));
      add("prompt-vs-limit", "ratio", 0.85, split / limit);
      add("prompt", "tokens/s", Double.NaN, split);
    }

    /** What a token takes with delays against what it takes without, and the delay of each hop. */
    private void delays() {
      double without = 1000 / rate(head, 1, ONE_STREAM_TOKENS);
      for (int millis : DELAYS_MILLIS) {
        relay.delay(millis);
        double with = 1000 / rate(head, 1, TOKENS);
        relay.delay(0);
        String id = "time-per-token-%d-ms-between-stages-vs-expected".formatted(millis);
        put(id, "ratio", 1.10, "lower", with / (without + HOPS * millis));
      }
    }

    private double rate(PinnedEngine engine, int streams, int tokens) {
      return WireMeter.tokensPerSecond(ask(engine, streams, SHORT_PROMPT, tokens));
    }

    private List<WireMeter> ask(PinnedEngine engine, int streams, int promptTokens, int tokens) {
      return WireMeter.ask(engine.client(), ++seed, streams, promptTokens, tokens);
    }

    private void add(String id, String unit, double target, double value) {
      put(id, unit, target, "higher", value);
    }

    private void put(String id, String unit, double target, String better, double value) {
      String row = id + "-" + model;
      rows.merge(row, new Row(row, unit, target, better, List.of(value)), Row::and);
    }
  }

  private void say(String what) {
    progress.println(what);
    progress.flush();
  }
}
