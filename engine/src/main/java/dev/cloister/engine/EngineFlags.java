package dev.cloister.engine;

import dev.cloister.engine.llamacpp.ModelOptions;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The command line of an engine process.
 *
 * @param model the GGUF file
 * @param socket where the process answers
 * @param libraryCache where the native library is kept between processes
 */
record EngineFlags(Path model, Path socket, Path libraryCache, ModelOptions options) {

  private static final Set<String> NAMES =
      Set.of("--model", "--socket", "--library-cache", "--context", "--slots", "--threads");

  /** Throws IllegalArgumentException with one sentence. */
  static EngineFlags parse(String... arguments) {
    Map<String, String> values = new HashMap<>();
    for (int i = 0; i < arguments.length; i += 2) {
      String name = arguments[i];
      if (!NAMES.contains(name)) {
        throw new IllegalArgumentException(
            "unknown flag %s (expected: %s)"
                .formatted(name, String.join(", ", NAMES.stream().sorted().toList())));
      }
      if (i + 1 == arguments.length) {
        throw new IllegalArgumentException("flag %s needs a value".formatted(name));
      }
      if (values.put(name, arguments[i + 1]) != null) {
        throw new IllegalArgumentException("flag %s is given twice".formatted(name));
      }
    }
    return new EngineFlags(
        path(values, "--model"),
        path(values, "--socket"),
        path(values, "--library-cache"),
        new ModelOptions(
            number(values, "--context"), number(values, "--slots"), number(values, "--threads")));
  }

  private static Path path(Map<String, String> values, String name) {
    String value = values.get(name);
    if (value == null || value.isEmpty()) {
      throw new IllegalArgumentException("flag %s is missing".formatted(name));
    }
    try {
      return Path.of(value);
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException("%s: %s (expected: a path)".formatted(name, value), e);
    }
  }

  private static int number(Map<String, String> values, String name) {
    String value = values.getOrDefault(name, "0");
    try {
      return Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "%s: %s (expected: a whole number)".formatted(name, value), e);
    }
  }
}
