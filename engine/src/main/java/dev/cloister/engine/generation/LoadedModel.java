package dev.cloister.engine.generation;

/** A model in memory that answers several requests at once. Thread-safe. */
public interface LoadedModel extends AutoCloseable {

  /** What this model offers. */
  ModelFacts facts();

  /**
   * Answers a request; returns at once. Beyond {@link ModelFacts#slots()} requests wait in a
   * bounded queue; beyond that they fail with {@link FailureCode#NO_CAPACITY}.
   */
  Running generate(Generation generation, GenerationListener listener);

  /** Cancels what runs and waits for it, for a moment at most; nothing can be asked afterwards. */
  @Override
  void close();

  /** A generation under way. */
  @FunctionalInterface
  interface Running {

    /** Ends the generation early; has no effect on one that has ended. Returns at once. */
    void cancel();
  }
}
