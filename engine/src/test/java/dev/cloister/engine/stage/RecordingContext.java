package dev.cloister.engine.stage;

import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.DecodeException;
import dev.cloister.engine.model.KeptState;
import dev.cloister.engine.model.TokenSampler;
import java.lang.reflect.Proxy;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.LongPredicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A context that adds one to every number of a state, and chooses the place of an output. */
final class RecordingContext {
  static final long STATE_BYTES = 100;

  final List<String> calls = new ArrayList<>();
  int decoded;
  boolean failing;

  /** Whether states are not taken back. */
  boolean refusing;

  int keptStates;

  private final int sequences;
  private final int batchTokens;
  private final int width;
  private final List<Float> batch = new ArrayList<>();

  RecordingContext(int sequences, int batchTokens, int width) {
    this.sequences = sequences;
    this.batchTokens = batchTokens;
    this.width = width;
  }

  DecodeContext context() {
    return (DecodeContext)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {DecodeContext.class},
            (_, method, arguments) -> call(method.getName(), arguments));
  }

  private @Nullable Object call(String method, Object @Nullable [] arguments) {
    switch (method) {
      case "sequences" -> {
        return sequences;
      }
      case "batchTokens" -> {
        return batchTokens;
      }
      case "clearBatch" -> batch.clear();
      case "addHidden" -> {
        FloatBuffer states = (FloatBuffer) Objects.requireNonNull(arguments)[0];
        for (int i = 0; i < width; i++) {
          batch.add(states.get());
        }
        return batch.size() / width - 1;
      }
      case "decode" -> {
        if (failing) {
          failing = false;
          throw new DecodeException("told to fail");
        }
        decoded++;
        calls.add("decode " + batch.size() / width);
        return DecodeContext.DecodeOutcome.DONE;
      }
      case "hidden" -> {
        FloatBuffer states = FloatBuffer.allocate(batch.size());
        batch.forEach(state -> states.put(state + 1));
        return states.flip();
      }
      case "newSampler" -> {
        return sampler();
      }
      case "keep" -> {
        calls.add("keep " + Objects.requireNonNull(arguments)[0]);
        return ((LongPredicate) arguments[1]).test(STATE_BYTES) ? state() : null;
      }
      case "restore" -> {
        calls.add("restore " + Objects.requireNonNull(arguments)[0]);
        return !refusing;
      }
      case "close" -> {}
      case "truncate", "remove", "copy" ->
          calls.add(method + Stream.of(arguments).map(a -> " " + a).collect(Collectors.joining()));
      default -> throw new IllegalStateException(method);
    }
    return method.equals("truncate") ? true : null;
  }

  private KeptState state() {
    keptStates++;
    return new KeptState() {
      @Override
      public long bytes() {
        return STATE_BYTES;
      }

      @Override
      public void close() {
        keptStates--;
      }
    };
  }

  private static TokenSampler sampler() {
    return new TokenSampler() {
      @Override
      public int sample(int place) {
        return place;
      }

      @Override
      public void accept(int token, boolean generated) {}

      @Override
      public void close() {}
    };
  }
}
