package dev.cloister.coordinator.fleet;

import java.util.Optional;
import java.util.Set;

/** A model on a node, whole or some of its layers, in one of five states. */
public sealed interface Replica {
  /** Name in the catalog. */
  String model();

  /** Names the pipeline whose stage it is; empty for a whole model. */
  String plan();

  /** The layers of a loaded stage; empty where it is none. */
  default Optional<Layers> layers() {
    return Optional.empty();
  }

  /**
   * Some layers of a model.
   *
   * @param end behind the last one
   */
  record Layers(int first, int end) {
    public Layers {
      if (first < 0 || end <= first) {
        throw new IllegalArgumentException(
            "layers: %d to %d (expected: at least one)".formatted(first, end));
      }
    }
  }

  /** The same, where an engine is loaded, with the memory that it takes now. */
  default Replica withResidentBytes(long bytes) {
    return switch (this) {
      case Staged staged -> new Staged(staged.model, staged.plan, staged.layers, bytes);
      case Ready ready ->
          new Ready(
              ready.model,
              ready.plan,
              ready.layers,
              ready.contextTokens,
              ready.slots,
              ready.engine,
              ready.full,
              ready.uses,
              bytes);
      case Fetching _, Loading _, Failed _ -> this;
    };
  }

  /**
   * The agent fetches the file.
   *
   * @param progress 0 to 1
   */
  record Fetching(String model, String plan, double progress) implements Replica {
    /** Of a whole model. */
    public Fetching(String model, double progress) {
      this(model, "", progress);
    }
  }

  /**
   * The engine loads the file.
   *
   * @param progress 0 to 1
   */
  record Loading(String model, String plan, double progress) implements Replica {
    /** Of a whole model. */
    public Loading(String model, double progress) {
      this(model, "", progress);
    }
  }

  /**
   * A stage is loaded and waits for, or takes part in, its pipeline. The first one alone becomes
   * ready, when the ring is closed, and is staged again when it breaks.
   *
   * @param residentBytes memory that the engine process takes
   */
  record Staged(String model, String plan, Optional<Layers> layers, long residentBytes)
      implements Replica {}

  /**
   * The engine answers.
   *
   * @param contextTokens tokens that one request may use
   * @param slots requests answered at the same time
   * @param engine the native library, for example {@code llama.cpp b4916}
   * @param full whether prefix reuse, grammars, tools, probabilities and embeddings are there
   * @param uses what kinds of requests the model is for there
   * @param residentBytes memory that the engine process takes; 0 if it is not known
   */
  record Ready(
      String model,
      String plan,
      Optional<Layers> layers,
      int contextTokens,
      int slots,
      String engine,
      boolean full,
      Set<Use> uses,
      long residentBytes)
      implements Replica {

    /** A kind of request. */
    public enum Use {
      GENERATE,
      EMBED,
      RERANK
    }

    public Ready {
      uses = Set.copyOf(uses);
      if (slots < 1) {
        throw new IllegalArgumentException("slots: " + slots + " (expected: >= 1)");
      }
    }

    /** Of a whole model. */
    public Ready(
        String model, int contextTokens, int slots, String engine, boolean full, Set<Use> uses) {
      this(model, "", Optional.empty(), contextTokens, slots, engine, full, uses, 0);
    }
  }

  /**
   * It cannot be served.
   *
   * @param error one sentence
   */
  record Failed(String model, String plan, String error) implements Replica {
    /** Of a whole model. */
    public Failed(String model, String error) {
      this(model, "", error);
    }
  }
}
