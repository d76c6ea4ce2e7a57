package dev.cloister.engine.llamacpp;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.cloister.engine.llamacpp.capi.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.function.DoubleConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How far a model is loaded, as llama.cpp tells it: {@code llama_progress_callback}. */
final class LoadProgress {
  private static final Logger log = LoggerFactory.getLogger(LoadProgress.class);

  private LoadProgress() {}

  /** A function for llama.cpp that tells the listener, 0 to 1, until the arena is closed. */
  static MemorySegment callback(DoubleConsumer progress, Arena arena) {
    try {
      return NativeMemory.callback(
          MethodHandles.lookup()
              .findStatic(
                  LoadProgress.class,
                  "progressed",
                  MethodType.methodType(
                      boolean.class, DoubleConsumer.class, float.class, MemorySegment.class))
              .bindTo(progress),
          FunctionDescriptor.of(JAVA_BOOLEAN, JAVA_FLOAT, ADDRESS),
          arena);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  // An exception that left this method would end the process.
  @SuppressWarnings("unused")
  private static boolean progressed(DoubleConsumer progress, float part, MemorySegment userData) {
    try {
      progress.accept(part);
    } catch (RuntimeException e) {
      log.debug("listener of loading failed", e);
    }
    return true;
  }
}
