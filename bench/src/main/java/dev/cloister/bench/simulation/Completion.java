package dev.cloister.bench.simulation;

/**
 * What became of a request.
 *
 * @param node which answered, from 0 on
 * @param cachedTokens of the prompt, which that node did not have to compute
 * @param arrivedNanos since the beginning, as the others
 */
public record Completion(
    Request request,
    int node,
    int cachedTokens,
    long arrivedNanos,
    long firstTokenNanos,
    long endNanos) {

  /** From arrival to the last token. */
  public double seconds() {
    return (endNanos - arrivedNanos) * 1e-9;
  }

  /** From arrival to the first token. */
  public double firstTokenSeconds() {
    return (firstTokenNanos - arrivedNanos) * 1e-9;
  }
}
