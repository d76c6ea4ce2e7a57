package dev.cloister.agent.supervisor;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A model to serve.
 *
 * @param sha256 of its file
 * @param contextTokens tokens per request; 0 means what the model was trained for
 * @param slots requests answered at the same time
 * @param stage the layers to serve; empty means all of them
 * @param memoryBytes main memory that the engine is predicted to take; 0 if nobody knows
 */
public record ModelSpec(
    String name,
    String sha256,
    long sizeBytes,
    int contextTokens,
    int slots,
    EngineOptions options,
    Optional<StageSpec> stage,
    long memoryBytes) {
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  /**
   * @throws IllegalArgumentException if a value is out of range; the message is one sentence
   */
  public ModelSpec {
    if (!SHA256.matcher(sha256).matches()) {
      throw new IllegalArgumentException(
          "the model's SHA-256 is malformed (expected: 64 lower-case hexadecimal digits)");
    }
    requireAtLeast("size in bytes", sizeBytes, 1);
    requireAtLeast("context tokens", contextTokens, 0);
    requireAtLeast("slots", slots, 1);
    requireAtLeast("memory", memoryBytes, 0);
  }

  /** Main memory to reckon with: of a whole model nobody predicted, at least its file. */
  long neededBytes() {
    return memoryBytes == 0 && stage.isEmpty() ? sizeBytes : memoryBytes;
  }

  /** Whether an engine that serves this does as well for the other. */
  boolean hasEngineOf(ModelSpec other) {
    return withEngineStage().equals(other.withEngineStage());
  }

  /** An engine is told its place, not its plan, and does not care what was predicted of it. */
  private ModelSpec withEngineStage() {
    return new ModelSpec(
        name,
        sha256,
        sizeBytes,
        contextTokens,
        slots,
        options,
        stage.map(StageSpec::withoutPlan),
        0);
  }

  private static void requireAtLeast(String what, long value, long least) {
    if (value < least) {
      throw new IllegalArgumentException(
          "the model's " + what + ": " + value + " (expected: >= " + least + ")");
    }
  }
}
