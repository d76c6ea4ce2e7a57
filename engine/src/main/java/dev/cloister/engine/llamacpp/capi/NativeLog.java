package dev.cloister.engine.llamacpp.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What llama.cpp says: warnings and errors go to the log, at debug, and the first error of an
 * operation is kept, since it names the cause and the later ones its consequences. Nothing reaches
 * the standard streams. Thread-safe.
 */
public final class NativeLog {

  private static final Logger log = LoggerFactory.getLogger(NativeLog.class);
  // Of enum ggml_log_level.
  private static final int WARN = 3;
  private static final int ERROR = 4;

  private static final Pattern ORIGIN =
      Pattern.compile("^(?:(?:\\w+|error loading model(?: \\w+)?): )+");

  private final AtomicReference<String> firstError = new AtomicReference<>("");

  /** A C function to be given to {@code llama_log_set}; it lives as long as the process. */
  public MemorySegment callback() {
    try {
      return NativeMemory.callback(
          MethodHandles.lookup()
              .bind(
                  this,
                  "said",
                  MethodType.methodType(
                      void.class, int.class, MemorySegment.class, MemorySegment.class)),
          FunctionDescriptor.ofVoid(JAVA_INT, ADDRESS, ADDRESS),
          Arena.global());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Forgets the error of an earlier operation. */
  public void clear() {
    firstError.set("");
  }

  /** The first error since {@link #clear}, without the name of the function it came from. */
  public String firstError() {
    return firstError.get();
  }

  /** The first error since {@link #clear}, for people. */
  public String reason() {
    String error = firstError();
    return error.isEmpty() ? "it gives no reason" : error;
  }

  // An exception that left this method would end the process.
  @SuppressWarnings({"unused", "CatchAndPrintStackTrace"})
  private void said(int level, MemorySegment text, MemorySegment userData) {
    if (level != WARN && level != ERROR) {
      return;
    }
    try {
      String line = NativeMemory.text(text.address()).strip();
      if (level == ERROR) {
        firstError.compareAndSet("", withoutOrigin(line));
      }
      log.debug("llama.cpp: {}", line);
    } catch (RuntimeException e) {
      firstError.compareAndSet("", "a message that cannot be read");
    }
  }

  /**
   * Lines begin with where they come from, perhaps more than once: {@code llama_model_load: error
   * loading model: why}.
   */
  private static String withoutOrigin(String line) {
    return ORIGIN.matcher(line).replaceFirst("");
  }
}
