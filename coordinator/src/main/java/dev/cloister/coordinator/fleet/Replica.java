package dev.cloister.coordinator.fleet;

import java.util.Set;

/** A model on a node, in one of four states. */
public sealed interface Replica {
  /** Name in the catalog. */
  String model();

  /**
   * The agent fetches the file.
   *
   * @param progress 0 to 1
   */
  record Fetching(String model, double progress) implements Replica {}

  /**
   * The engine loads the file.
   *
   * @param progress 0 to 1
   */
  record Loading(String model, double progress) implements Replica {}

  /**
   * The engine answers.
   *
   * @param contextTokens tokens that one request may use
   * @param slots requests answered at the same time
   * @param engine the native library, for example {@code llama.cpp b4916}
   * @param full whether prefix reuse, grammars, tools, probabilities and embeddings are there
   * @param uses what kinds of requests the model is for there
   */
  record Ready(
      String model, int contextTokens, int slots, String engine, boolean full, Set<Use> uses)
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
  }

  /**
   * It cannot be served.
   *
   * @param error one sentence
   */
  record Failed(String model, String error) implements Replica {}
}
