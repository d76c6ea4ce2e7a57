package dev.cloister.agent.engine;

import java.util.Set;

/**
 * What a loaded model offers.
 *
 * @param contextTokens tokens one request may use
 * @param slots requests answered at the same time
 * @param engine the native library, for example {@code llama.cpp b4916}
 * @param full whether prefix reuse, grammars, tools, probabilities and embeddings are there
 * @param uses what kinds of requests the model is for
 */
public record ModelFacts(int contextTokens, int slots, String engine, boolean full, Set<Use> uses) {

  /** A kind of request. */
  public enum Use {
    GENERATE,
    EMBED,
    RERANK
  }

  public ModelFacts {
    uses = Set.copyOf(uses);
  }
}
