package dev.cloister.coordinator.routing.choice;

/**
 * What a request is expected to take.
 *
 * @param promptTokens of its prompt, estimated
 * @param answerTokens of its answer, estimated
 * @param waits where it may wait for a slot
 */
public record Ask(int promptTokens, int answerTokens, Wait waits) {

  /** Where a request may wait for a slot. */
  public enum Wait {
    /** On any node that takes it: it had its turn before. */
    ANYWHERE,

    /** On the best node, or for it: nobody else waits for one. */
    FOR_THE_BEST,

    /**
     * On a node only for a moment, so that it is not idle between two requests. Others wait for
     * nodes as well, and what waits longer does so better where turns are taken and deadlines kept.
     */
    BRIEFLY
  }

  public Ask {
    if (promptTokens < 0 || answerTokens < 0) {
      throw new IllegalArgumentException(
          "%d and %d tokens (expected: >= 0)".formatted(promptTokens, answerTokens));
    }
  }

  /** Of a request that may wait anywhere. */
  public Ask(int promptTokens, int answerTokens) {
    this(promptTokens, answerTokens, Wait.ANYWHERE);
  }

  /** The same for a request that may wait elsewhere. */
  public Ask with(Wait other) {
    return new Ask(promptTokens, answerTokens, other);
  }
}
