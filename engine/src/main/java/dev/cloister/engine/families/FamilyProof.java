package dev.cloister.engine.families;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.GgufException;
import dev.cloister.engine.gguf.GgufModel;
import dev.cloister.engine.gguf.TensorType;
import dev.cloister.engine.gguf.random.RandomModel;
import dev.cloister.engine.gguf.random.RandomModel.Shape;
import dev.cloister.engine.llamacpp.LlamaCpp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What an architecture's models compute in stages on a native library, beside what they compute
 * whole: models with random weights, cut into {@link #STAGES} stages.
 *
 * @param difference the first that was found, in a sentence; only where the outcome tells of one
 */
public record FamilyProof(
    Architecture architecture, String library, Outcome outcome, Optional<String> difference) {

  public static final List<Integer> STAGES = List.of(2, 3, 8);
  public static final List<TensorType> TYPES =
      List.of(TensorType.F32, TensorType.Q8_0, TensorType.Q4_0);

  private static final int MOST_STAGES = 8;
  private static final int MOST_LAYERS_BETWEEN_CUTS = 6;

  /** What came of it. */
  public enum Outcome {
    /** Every logit is equal, bit for bit. */
    EQUAL,
    DIFFERENT,
    /** The library runs whole models of the architecture, but no stages. */
    WHOLE_ONLY,
    /** The library does not know the architecture. */
    UNKNOWN
  }

  /**
   * Runs an architecture's models; takes some seconds.
   *
   * @param folder for their files, which are deleted
   */
  public static FamilyProof of(LlamaCpp llama, Architecture architecture, Path folder)
      throws ModelLoadException, GgufException, IOException {
    int unit = layersBetweenCuts(architecture, folder);
    if (llama.bundled() && !architecture.runsOnB4916(unit)) {
      boolean known = IntStream.rangeClosed(1, 100).anyMatch(architecture::runsOnB4916);
      return new FamilyProof(
          architecture,
          llama.version(),
          known ? Outcome.WHOLE_ONLY : Outcome.UNKNOWN,
          Optional.empty());
    }
    Optional<String> difference = Optional.empty();
    for (TensorType type : TYPES) {
      GgufModel model = random(architecture, MOST_STAGES * unit, type, folder);
      for (int stages : STAGES) {
        if (difference.isEmpty()) {
          difference =
              SplitProof.THOROUGH
                  .run(llama, model, starts(stages, unit), folder)
                  .map(found -> "%s in %d stages, %s".formatted(type, stages, found));
        }
      }
    }
    return new FamilyProof(
        architecture,
        llama.version(),
        difference.isEmpty() ? Outcome.EQUAL : Outcome.DIFFERENT,
        difference);
  }

  private static int layersBetweenCuts(Architecture architecture, Path folder)
      throws GgufException, IOException {
    GgufModel model = random(architecture, 2 * MOST_LAYERS_BETWEEN_CUTS, TensorType.Q4_0, folder);
    return architecture.cuts(model).get(1);
  }

  /** Layers shared out evenly, in whole units. */
  private static List<Integer> starts(int stages, int unit) {
    return IntStream.range(1, stages)
        .mapToObj(stage -> MOST_STAGES * stage / stages * unit)
        .toList();
  }

  private static GgufModel random(
      Architecture architecture, int layers, TensorType type, Path folder)
      throws GgufException, IOException {
    Path file = folder.resolve("whole.gguf");
    Files.deleteIfExists(file);
    // A width that is no power of two, so that scaling by its root rounds.
    Shape shape = new Shape(layers, 96, 3, 1, 192, 512, 256);
    new RandomModel(architecture, shape, type, false, 7).write(file);
    return GgufModel.open(file);
  }
}
