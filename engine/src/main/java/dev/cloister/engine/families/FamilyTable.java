package dev.cloister.engine.families;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.GgufException;
import dev.cloister.engine.llamacpp.LlamaCpp;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * All architectures on some native libraries, as {@code docs/families.md} tells them.
 *
 * @param libraries their titles, in the order of the columns
 * @param proofs one of each architecture and library
 */
public record FamilyTable(List<String> libraries, List<FamilyProof> proofs) {

  public FamilyTable {
    libraries = List.copyOf(libraries);
    proofs = List.copyOf(proofs);
  }

  /**
   * Proves all; takes minutes.
   *
   * @param progress hears what is being proved
   */
  public static FamilyTable of(List<LlamaCpp> libraries, Path folder, Consumer<String> progress)
      throws ModelLoadException, GgufException, IOException {
    List<FamilyProof> proofs = new ArrayList<>();
    for (Architecture architecture : Architecture.values()) {
      for (LlamaCpp llama : libraries) {
        progress.accept("%s on %s".formatted(architecture.key(), llama.version()));
        proofs.add(FamilyProof.of(llama, architecture, folder));
      }
    }
    return new FamilyTable(libraries.stream().map(LlamaCpp::version).toList(), proofs);
  }

  /** Whether nothing differs. */
  public boolean sound() {
    return proofs.stream().noneMatch(proof -> proof.outcome() == FamilyProof.Outcome.DIFFERENT);
  }

  /** Writes the page. */
  public void print(PrintWriter out) {
    out.println("# Families: which models may be computed in stages");
    out.println();
    out.println("Made by `./cloister bench families`; do not edit.");
    out.println();
    out.println(
        """
        Each architecture's models with random weights (%s) run whole and in %s stages side by side: \
        prompts of several sequences in pieces, then more than 50 tokens of each, with a sequence copied and one cut back. \
        *Equal* means that every logit is equal, bit for bit. \
        A model of an architecture that is not listed, or with something else than *equal* for the library of a machine, is not split there.\
        """
            .formatted(
                FamilyProof.TYPES.stream().map(Enum::name).collect(Collectors.joining(", ")),
                FamilyProof.STAGES.stream()
                    .map(String::valueOf)
                    .collect(Collectors.joining(", "))));
    out.println();
    out.println("| Architecture | " + String.join(" | ", libraries) + " | Where it may be cut |");
    out.println("|---|" + "---|".repeat(libraries.size()) + "---|");
    for (Architecture architecture : Architecture.values()) {
      String outcomes =
          libraries.stream()
              .map(library -> outcome(architecture, library))
              .collect(Collectors.joining(" | "));
      out.println("| `%s` | %s | %s |".formatted(architecture.key(), outcomes, rule(architecture)));
    }
  }

  private String outcome(Architecture architecture, String library) {
    return proofs.stream()
        .filter(proof -> proof.architecture() == architecture && proof.library().equals(library))
        .map(
            proof ->
                switch (proof.outcome()) {
                  case EQUAL -> "equal";
                  case DIFFERENT -> "different: " + proof.difference().orElseThrow();
                  case WHOLE_ONLY -> "whole only";
                  case UNKNOWN -> "not known";
                })
        .collect(Collectors.joining());
  }

  /** What {@link Architecture#cuts} goes by, and what a library asks of a stage. */
  private static String rule(Architecture architecture) {
    return switch (architecture) {
      case LLAMA, QWEN2, GEMMA, QWEN3 -> "before any layer";
      case PHI3 -> "before any layer, if the file tells its sliding window";
      case OLMO2 -> "before any layer; with a sliding window (OLMo 3) before every fourth";
      case GEMMA2 ->
          "before every second layer; not the model of 46 layers (27B), whose attention is scaled"
              + " by its number of layers; llama.cpp b4916 runs published numbers of layers only";
      case GEMMA3 ->
          "before every sixth layer; not the model of 62 layers (27B), whose attention is scaled by"
              + " its number of layers; on llama.cpp b4916 a stage has six layers at least";
      case JAMBA -> "where every stage has a layer with attention and one with recurrence";
    };
  }
}
