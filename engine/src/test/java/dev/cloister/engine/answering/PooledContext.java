package dev.cloister.engine.answering;

import dev.cloister.engine.model.DecodeContext;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A context whose embedding is the mean of a sequence's tokens in the batch, and their number. */
final class PooledContext {
  static final int BATCH = 8;

  /** A permit for each batch. */
  final Semaphore gate;

  volatile boolean closed;
  private final List<int[]> batch = new ArrayList<>();
  private final int[] held = new int[2];

  PooledContext(int permits) {
    gate = new Semaphore(permits);
  }

  DecodeContext context() {
    return (DecodeContext)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {DecodeContext.class},
            (_, method, arguments) -> call(method.getName(), arguments));
  }

  private @Nullable Object call(String method, Object[] arguments) {
    if (closed) {
      throw new IllegalStateException("used after its end");
    }
    switch (method) {
      case "batchTokens" -> {
        return BATCH;
      }
      case "sequences" -> {
        return held.length;
      }
      case "size" -> {
        return batch.size();
      }
      case "clearBatch" -> batch.clear();
      case "add" -> {
        if ((int) arguments[1] != held[(int) arguments[2]]++) {
          throw new IllegalStateException("position " + arguments[1]);
        }
        batch.add(new int[] {(int) arguments[0], (int) arguments[2]});
        return batch.size() - 1;
      }
      case "decode" -> {
        gate.acquireUninterruptibly();
        return DecodeContext.DecodeOutcome.DONE;
      }
      case "embedding" -> {
        int[] tokens =
            batch.stream()
                .filter(entry -> entry[1] == (int) arguments[0])
                .mapToInt(entry -> entry[0])
                .toArray();
        return new float[] {IntStream.of(tokens).sum() / (float) tokens.length};
      }
      case "remove" -> held[(int) arguments[0]] = 0;
      case "close" -> closed = true;
      default -> throw new UnsupportedOperationException(method);
    }
    return null;
  }
}
