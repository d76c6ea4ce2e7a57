package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.cli.member.GgufModelFiles;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelLayout;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.placement.Demand;
import dev.cloister.coordinator.placement.Offer;
import dev.cloister.coordinator.placement.StageMemory;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.TensorType;
import dev.cloister.engine.gguf.random.RandomModel;
import dev.cloister.engine.gguf.random.RandomModel.Shape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What is predicted that an engine takes, beside what real processes take once every slot's context
 * was used.
 */
@EnabledOnOs(OS.LINUX)
class MemoryPredictionTest {
  private static final int CONTEXT = 1024;
  private static final int SLOTS = 2;

  /** What an installation's archive of classes takes in each process; tests have none. */
  private static final long ARCHIVE_BYTES = 37 << 20;

  /** 0.1 billion parameters. */
  private static final Shape SMALL = new Shape(12, 768, 12, 12, 2048, 16_000, CONTEXT);

  /** 0.5 billion parameters; takes a minute, and so only where it is asked for. */
  private static final Shape LARGE = new Shape(24, 1280, 20, 5, 3584, 32_000, CONTEXT);

  @TempDir private Path directory;

  static Stream<Arguments> engines() {
    List<Arguments> engines = new ArrayList<>();
    List<Shape> shapes =
        Boolean.getBoolean("cloister.test.large") ? List.of(SMALL, LARGE) : List.of(SMALL);
    Optional<String> installed =
        Optional.ofNullable(
            System.getProperty(
                "cloister.test.library-cache", System.getenv("CLOISTER_TEST_LIBRARY_CACHE")));
    for (Shape shape : shapes) {
      for (List<Integer> starts : List.of(List.of(0), List.of(0, shape.layers() / 3))) {
        engines.add(Arguments.of(shape, starts, "b4916", "target/library-cache"));
        installed.ifPresent(cache -> engines.add(Arguments.of(shape, starts, "auto", cache)));
      }
    }
    return engines.stream();
  }

  @ParameterizedTest
  @MethodSource("engines")
  void predictedIsWithinATenthOfMeasured(
      Shape shape, List<Integer> starts, String library, String cache) throws Exception {
    Path file = directory.resolve("whole.gguf");
    // Weights in Q4_0 are copied into another order, and must not be in memory twice.
    TensorType type = starts.size() == 1 ? TensorType.Q8_0 : TensorType.Q4_0;
    new RandomModel(Architecture.LLAMA, shape, type, false, 1).write(file);
    List<String> flags =
        List.of(
            "--library",
            library,
            "--library-cache",
            Path.of(cache).toAbsolutePath().toString(),
            "--context",
            String.valueOf(CONTEXT),
            "--slots",
            String.valueOf(SLOTS),
            "--threads",
            "1",
            "--batch-threads",
            "1");
    List<StageMemory> stages = new ArrayList<>();
    for (int stage = 0; stage < starts.size(); stage++) {
      int end = stage + 1 < starts.size() ? starts.get(stage + 1) : shape.layers();
      stages.add(node(library).here(demand(file).memory(starts.get(stage), end)));
    }
    List<Long> shelves = stages.stream().map(StageMemory::shelfBytes).toList();
    try (EngineRing ring = new EngineRing(directory, file, starts, shelves, flags)) {
      for (int round = 0; round < 2; round++) {
        List<CompletableFuture<Void>> answers = new ArrayList<>();
        for (int slot = 0; slot < SLOTS; slot++) {
          answers.add(ring.answer(prompt(round * SLOTS + slot), 16));
        }
        for (CompletableFuture<Void> answer : answers) {
          answer.get(120, TimeUnit.SECONDS);
        }
      }
      List<Long> measured = ring.residentBytes();
      for (int stage = 0; stage < starts.size(); stage++) {
        StageMemory predicted = stages.get(stage);
        System.out.printf(
            "%s, stage %d of %s: predicted %s, measured %d MiB%n",
            library, stage, starts, predicted, measured.get(stage) >> 20);
        assertThat(inMainMemory(predicted) / (double) (measured.get(stage) + ARCHIVE_BYTES))
            .as("%s, stage %d of %s", library, stage, starts)
            .isBetween(0.9, 1.1);
      }
    }
  }

  /** Without the margin with which it is planned. */
  private static long inMainMemory(StageMemory stage) {
    return stage.weightBytes()
        + stage.kvBytes()
        + stage.computeBytes()
        + stage.attentionBytes()
        + stage.shelfBytes()
        + stage.processBytes();
  }

  /** Nearly as many tokens as the context holds. */
  private static String prompt(int seed) {
    return new Random(seed)
        .ints(CONTEXT / 3, 'a', 'z' + 1)
        .mapToObj(letter -> (char) letter + " ")
        .collect(Collectors.joining());
  }

  private static Offer node(String library) {
    return new Offer("id", "node", 1L << 40, 1e10, 0, 0, !library.equals("b4916"), "");
  }

  private static Demand demand(Path file) throws Exception {
    ModelLayout layout = new GgufModelFiles().layout(file);
    ModelOptions options =
        new ModelOptions(
            OptionalInt.of(CONTEXT),
            OptionalInt.of(SLOTS),
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            false);
    return Demand.of(
        new Model(
            "m", "0".repeat(64), Files.size(file), file, Instant.EPOCH, Instant.EPOCH, options),
        layout);
  }
}
