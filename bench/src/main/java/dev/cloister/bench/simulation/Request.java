package dev.cloister.bench.simulation;

/**
 * A request that is to arrive.
 *
 * @param id from 0 on; the same as its place in the list of all
 * @param after the request whose answer its caller awaits first, or {@link #NONE}
 * @param nanos when it arrives, since the answer it follows, or since the beginning
 * @param answerTokens that its answer will have, which nobody knows before
 */
public record Request(
    int id, int after, long nanos, String caller, Prompt prompt, int answerTokens) {
  /** Follows no other. */
  public static final int NONE = -1;

  public Request {
    if (nanos < 0 || answerTokens < 1 || after >= id) {
      throw new IllegalArgumentException(
          "request %d after %d, at %d ns, answer of %d tokens (expected: after an earlier one, "
                  .formatted(id, after, nanos, answerTokens)
              + "at 0 ns or later, 1 token or more)");
    }
  }
}
