package dev.cloister.engine.answering;

import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.LoadedModel.Embeddings;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.DecodeException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Makes one vector of each text, several texts in a batch. Thread-safe: callers take turns, batch
 * by batch.
 */
final class Embedder implements AutoCloseable {
  private final DecodeContext context;
  private final ReentrantLock turn = new ReentrantLock(true);
  private volatile boolean closed;

  /**
   * Takes over a context that was opened with a pooling; with {@link
   * dev.cloister.engine.model.Pooling#MEAN} where texts may be longer than a batch.
   */
  Embedder(DecodeContext context) {
    this.context = context;
  }

  /**
   * The pooled vectors of texts, as they come from the model.
   *
   * @param texts tokens; each at least one and no more than the context holds
   */
  List<float[]> embed(List<int[]> texts) throws RequestException {
    List<float[]> vectors = new ArrayList<>(texts.size());
    while (vectors.size() < texts.size()) {
      turn.lock();
      try {
        requireOpen();
        if (texts.get(vectors.size()).length > context.batchTokens()) {
          vectors.add(inPieces(texts.get(vectors.size())));
        } else {
          embedSome(texts, vectors);
        }
      } finally {
        turn.unlock();
      }
    }
    return vectors;
  }

  /** As many of the next texts as fit in a batch. */
  private void embedSome(List<int[]> texts, List<float[]> vectors) throws RequestException {
    int from = vectors.size();
    int next = from;
    context.clearBatch();
    while (next < texts.size()
        && next - from < context.sequences()
        && context.size() + texts.get(next).length <= context.batchTokens()) {
      add(texts.get(next), 0, texts.get(next).length, next - from);
      next++;
    }
    try {
      compute();
      for (int sequence = 0; sequence < next - from; sequence++) {
        vectors.add(context.embedding(sequence));
      }
    } finally {
      for (int sequence = 0; sequence < next - from; sequence++) {
        context.remove(sequence);
      }
    }
  }

  /** The mean of a text is that of its pieces, each counting as much as it is long. */
  private float[] inPieces(int[] text) throws RequestException {
    float[] mean = {};
    try {
      for (int from = 0; from < text.length; from += context.batchTokens()) {
        int to = Math.min(text.length, from + context.batchTokens());
        requireOpen();
        context.clearBatch();
        add(text, from, to, 0);
        compute();
        float[] piece = context.embedding(0);
        mean = from == 0 ? new float[piece.length] : mean;
        for (int i = 0; i < piece.length; i++) {
          mean[i] += piece[i] * (to - from) / text.length;
        }
      }
      return mean;
    } finally {
      context.remove(0);
    }
  }

  private void add(int[] text, int from, int to, int sequence) {
    for (int position = from; position < to; position++) {
      context.add(text[position], position, sequence, true);
    }
  }

  private void compute() throws RequestException {
    try {
      if (context.decode() != DecodeContext.DecodeOutcome.DONE) {
        throw new RequestException(
            FailureCode.INTERNAL, "the context has no room for the texts; send fewer at a time");
      }
    } catch (DecodeException e) {
      throw new RequestException(
          FailureCode.INTERNAL, "the engine failed while computing; try again");
    }
  }

  private void requireOpen() throws RequestException {
    if (closed) {
      throw unloading();
    }
  }

  static RequestException unloading() {
    return new RequestException(FailureCode.NO_CAPACITY, "the model is being unloaded; try again");
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

  /** Waits for the batch that is being computed, and no longer. */
  @Override
  public void close() {
    closed = true;
    turn.lock();
    try {
      context.close();
    } finally {
      turn.unlock();
    }
  }
}
