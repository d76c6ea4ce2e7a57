package dev.cloister.engine.answering;

import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.LoadedModel.Embeddings;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.DecodeException;
import java.util.ArrayList;
import java.util.List;

/** Makes one vector of each text, several texts in a batch. Thread-safe: callers take turns. */
final class Embedder implements AutoCloseable {
  private final DecodeContext context;

  /** Takes over a context that was opened with a pooling. */
  Embedder(DecodeContext context) {
    this.context = context;
  }

  /**
   * The pooled vectors of texts, as they come from the model.
   *
   * @param texts tokens; each at least one and no more than a batch holds
   */
  synchronized List<float[]> embed(List<int[]> texts) throws RequestException {
    List<float[]> vectors = new ArrayList<>(texts.size());
    int next = 0;
    while (next < texts.size()) {
      int from = next;
      context.clearBatch();
      while (next < texts.size()
          && next - from < context.sequences()
          && context.size() + texts.get(next).length <= context.batchTokens()) {
        int[] tokens = texts.get(next);
        for (int position = 0; position < tokens.length; position++) {
          context.add(tokens[position], position, next - from, true);
        }
        next++;
      }
      try {
        compute(vectors, next - from);
      } finally {
        for (int sequence = 0; sequence < next - from; sequence++) {
          context.remove(sequence);
        }
      }
    }
    return vectors;
  }

  private void compute(List<float[]> vectors, int count) throws RequestException {
    try {
      if (context.decode() != DecodeContext.DecodeOutcome.DONE) {
        throw new RequestException(
            FailureCode.INTERNAL, "the context has no room for the texts; send fewer at a time");
      }
    } catch (DecodeException e) {
      throw new RequestException(
          FailureCode.INTERNAL, "the engine failed while computing; try again");
    }
    for (int sequence = 0; sequence < count; sequence++) {
      vectors.add(context.embedding(sequence));
    }
  }

  /** The vector with length 1; a vector of zeros stays. */
  static float[] normalized(float[] vector) {
    double squares = 0;
    for (float value : vector) {
      squares += (double) value * value;
    }
    if (squares == 0) {
      return vector;
    }
    double length = Math.sqrt(squares);
    float[] result = new float[vector.length];
    for (int i = 0; i < vector.length; i++) {
      result[i] = (float) (vector[i] / length);
    }
    return result;
  }

  static Embeddings normalized(List<float[]> vectors, int promptTokens) {
    return new Embeddings(vectors.stream().map(Embedder::normalized).toList(), promptTokens);
  }

  @Override
  public synchronized void close() {
    context.close();
  }
}
