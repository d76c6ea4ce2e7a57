package dev.cloister.engine.families;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.GgufModel;
import dev.cloister.engine.gguf.RandomModel;
import dev.cloister.engine.gguf.RandomModel.Shape;
import dev.cloister.engine.gguf.TensorType;
import dev.cloister.engine.library.InstalledLibrary;
import dev.cloister.engine.library.TestLibraryCache;
import dev.cloister.engine.llamacpp.LlamaCpp;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Stages compute what the whole model computes, bit for bit, on each native library. */
class SplitProofTest {

  private static final Path DEMO_MODEL =
      Path.of("..", "models", "demo", "cloister-tiny-q8_0.gguf").toAbsolutePath().normalize();

  @TempDir private Path folder;

  private static List<LlamaCpp> libraries = List.of();

  @BeforeAll
  static void start() throws ModelLoadException {
    List<LlamaCpp> started = new ArrayList<>();
    started.add(LlamaCpp.b4916(Path.of("target", "library-cache")).orElseThrow());
    Optional<InstalledLibrary> installed = TestLibraryCache.library();
    if (installed.isPresent()) {
      started.add(LlamaCpp.v050(installed.get().backendFolders()));
    }
    libraries = started;
  }

  static Stream<LlamaCpp> libraries() {
    return libraries.stream();
  }

  static Stream<Arguments> randomModels() {
    return libraries()
        .flatMap(
            library ->
                Stream.of(Architecture.values())
                    .filter(architecture -> !library.bundled() || architecture.runsOnB4916(8))
                    .flatMap(
                        architecture ->
                            Stream.of(TensorType.F32, TensorType.Q8_0, TensorType.Q4_0)
                                .map(type -> Arguments.of(library, architecture, type))));
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void theDemoModel(LlamaCpp library) throws Exception {
    GgufModel model = GgufModel.open(DEMO_MODEL);
    for (int stages : List.of(2, 3, 8)) {
      assertThat(SplitProof.THOROUGH.run(library, model, starts(model, stages, 1), folder))
          .as("%d stages", stages)
          .isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("randomModels")
  void modelsWithRandomWeights(LlamaCpp library, Architecture architecture, TensorType type)
      throws Exception {
    int period =
        switch (architecture) {
          case GEMMA3 -> 6;
          case GEMMA2, JAMBA -> 2;
          case LLAMA, QWEN2, GEMMA, PHI3, OLMO2, QWEN3 -> 1;
        };
    Path file = folder.resolve("whole.gguf");
    // A width that is no power of two, so that scaling by its root rounds.
    Shape shape = new Shape(8 * period, 96, 3, 1, 192, 512, 256);
    new RandomModel(architecture, shape, type, false, 7).write(file);
    GgufModel model = GgufModel.open(file);
    for (int stages : List.of(2, 3, 8)) {
      assertThat(SplitProof.THOROUGH.run(library, model, starts(model, stages, period), folder))
          .as("%d stages", stages)
          .isEmpty();
    }
  }

  /** Layers shared out evenly, in steps of the period. */
  private static List<Integer> starts(GgufModel model, int stages, int period) {
    return IntStream.range(1, stages)
        .mapToObj(stage -> model.layers() / period * stage / stages * period)
        .toList();
  }
}
