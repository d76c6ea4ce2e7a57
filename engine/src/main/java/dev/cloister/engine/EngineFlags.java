package dev.cloister.engine;

import dev.cloister.engine.model.ContextOptions.FlashAttention;
import dev.cloister.engine.model.ContextOptions.KvType;
import dev.cloister.engine.model.StagePart;
import dev.cloister.engine.server.EngineServer;
import dev.cloister.engine.stage.Step.Precision;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The command line of an engine process.
 *
 * @param model the GGUF file
 * @param socket where the process answers
 * @param socketKind what it listens on
 */
record EngineFlags(Path model, Path socket, EngineServer.Kind socketKind, Deployment deployment) {

  private static final Set<String> NAMES =
      Set.of(
          "--model",
          "--socket",
          "--socket-kind",
          "--library-cache",
          "--library",
          "--context",
          "--slots",
          "--threads",
          "--batch-threads",
          "--batch",
          "--gpu-layers",
          "--main-gpu",
          "--kv-type",
          "--kv-on",
          "--flash-attention",
          "--prefixes",
          "--prefix-bytes",
          "--shelf-bytes",
          "--stage",
          "--stages",
          "--lexicon",
          "--hidden-type");

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
        choice(values, "--socket-kind", EngineServer.Kind.ofThisMachine()),
        deployment(values));
  }

  private static Deployment deployment(Map<String, String> values) {
    return new Deployment(
        path(values, "--library-cache"),
        choice(values, "--library", Deployment.Library.AUTO),
        number(values, "--context", 0),
        number(values, "--slots", 0),
        number(values, "--threads", 0),
        number(values, "--batch-threads", 0),
        number(values, "--batch", Deployment.DEFAULT_BATCH_TOKENS),
        number(values, "--gpu-layers", Deployment.ALL),
        number(values, "--main-gpu", Deployment.ALL),
        choice(values, "--kv-type", KvType.F16),
        choice(values, "--kv-on", Deployment.KvPlace.GPU),
        choice(values, "--flash-attention", FlashAttention.AUTO),
        values.containsKey("--prefixes")
            ? Optional.of(path(values, "--prefixes"))
            : Optional.empty(),
        number(values, "--prefix-bytes", Deployment.DEFAULT_PREFIX_BYTES),
        number(values, "--shelf-bytes", Deployment.DEFAULT_SHELF_BYTES),
        stage(values));
  }

  private static Deployment.Stage stage(Map<String, String> values) {
    return new Deployment.Stage(
        choice(values, "--stage", StagePart.WHOLE),
        number(values, "--stages", 1),
        values.containsKey("--lexicon") ? Optional.of(path(values, "--lexicon")) : Optional.empty(),
        choice(values, "--hidden-type", Precision.F32));
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

  private static int number(Map<String, String> values, String name, int absent) {
    return Math.toIntExact(number(values, name, (long) absent));
  }

  private static long number(Map<String, String> values, String name, long absent) {
    String value = values.get(name);
    if (value == null) {
      return absent;
    }
    try {
      return Long.parseLong(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "%s: %s (expected: a whole number)".formatted(name, value), e);
    }
  }

  private static <E extends Enum<E>> E choice(Map<String, String> values, String name, E absent) {
    String value = values.get(name);
    if (value == null) {
      return absent;
    }
    E[] choices = absent.getDeclaringClass().getEnumConstants();
    return Arrays.stream(choices)
        .filter(choice -> word(choice).equals(value))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "%s: %s (expected: %s)"
                        .formatted(
                            name,
                            value,
                            String.join(
                                ", ", Arrays.stream(choices).map(EngineFlags::word).toList()))));
  }

  private static String word(Enum<?> choice) {
    return choice.name().toLowerCase(Locale.ROOT);
  }
}
