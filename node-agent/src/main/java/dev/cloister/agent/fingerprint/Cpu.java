package dev.cloister.agent.fingerprint;

import java.util.List;
import java.util.Objects;

/**
 * The processor, as far as this process may use it.
 *
 * @param model empty if unknown
 * @param physicalCores at most {@code logicalCores}; 0 if unknown
 * @param logicalCores what a control group's quota leaves of the machine's
 * @param vectorExtensions those that matter for inference, sorted, lower case, words joined with
 *     {@code -}: {@code avx2}, {@code avx512-vnni}, {@code amx-int8}, {@code neon}
 */
public record Cpu(
    String model, int physicalCores, int logicalCores, List<String> vectorExtensions) {

  public Cpu {
    Objects.requireNonNull(model, "model");
    if (logicalCores < 1) {
      throw new IllegalArgumentException("logicalCores: " + logicalCores + " (expected: >= 1)");
    }
    if (physicalCores < 0 || physicalCores > logicalCores) {
      throw new IllegalArgumentException(
          "physicalCores: " + physicalCores + " (expected: 0 to " + logicalCores + ")");
    }
    vectorExtensions = List.copyOf(vectorExtensions);
  }
}
