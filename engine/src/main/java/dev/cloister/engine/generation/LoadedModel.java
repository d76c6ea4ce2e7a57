package dev.cloister.engine.generation;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** A model in memory that answers several requests at once. Thread-safe. */
public interface LoadedModel extends AutoCloseable {

  /** What this model offers. */
  ModelFacts facts();

  /**
   * Answers a request; returns at once. Beyond {@link ModelFacts#slots()} requests wait in a
   * bounded queue; beyond that they fail with {@link FailureCode#NO_CAPACITY}.
   */
  Running generate(Generation generation, GenerationListener listener);

  /**
   * Maps texts to vectors of length 1; waits until it is done.
   *
   * @throws RequestException where the request is wrong or the model cannot do it
   */
  Embeddings embed(List<String> texts) throws RequestException;

  /**
   * Scores documents by how well they answer a query, in their order; waits until it is done.
   *
   * @throws RequestException where the request is wrong or the model has no ranking head
   */
  Scores rerank(String query, List<String> documents) throws RequestException;

  /**
   * The tokens of a text.
   *
   * @param addSpecial adds what the model wants at the beginning and the end
   * @param parseSpecial reads markup as the token it names
   */
  int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) throws RequestException;

  /** The text of tokens; bytes that are no whole character become U+FFFD. */
  String detokenize(int[] tokens) throws RequestException;

  /**
   * Tells which beginnings of prompts are held: everything first, then what changes. The latest
   * listener alone is told, on a thread that must not be blocked.
   */
  default void watchPrefixes(Consumer<PrefixNews> listener) {}

  /** Completes when a defect has made the model useless: its process should end. */
  default CompletableFuture<Void> broken() {
    return new CompletableFuture<>();
  }

  /** Cancels what runs and waits for it, for a moment at most; nothing can be asked afterwards. */
  @Override
  void close();

  /** A generation under way. Thread-safe; both methods return at once. */
  interface Running {

    /** Ends the generation early; has no effect on one that has ended. */
    void cancel();

    /** Goes on with an answer whose listener was not ready and now is. */
    default void resume() {}
  }

  /**
   * Vectors of length 1, one for each text.
   *
   * @param promptTokens of all texts together
   */
  record Embeddings(List<float[]> vectors, int promptTokens) {
    public Embeddings {
      vectors = List.copyOf(vectors);
    }
  }

  /**
   * Scores, higher is better, one for each document.
   *
   * @param promptTokens of all pairs of query and document together
   */
  record Scores(List<Float> values, int promptTokens) {
    public Scores {
      values = List.copyOf(values);
    }
  }
}
