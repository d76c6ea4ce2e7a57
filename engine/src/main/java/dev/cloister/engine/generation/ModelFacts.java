package dev.cloister.engine.generation;

import java.util.Set;

/**
 * What a loaded model offers.
 *
 * @param contextTokens tokens that one request may use, prompt and answer together
 * @param slots requests answered at the same time
 * @param engine the native library and its version
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
