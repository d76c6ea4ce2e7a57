package dev.cloister.cli.model;

import dev.cloister.cli.argument.DurationConverter;
import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.client.ModelInfo.Retention;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How long a model is to stay loaded. */
final class RetentionFlags {
  private static final String NONE = "none";

  @Option(
      names = "--pin",
      negatable = true,
      description = {
        "Load the model before others and never unload it, also where another one is asked for",
        "and there is no room; --no-pin ends that."
      })
  private @Nullable Boolean pin;

  @Option(
      names = "--keep-alive",
      paramLabel = "DURATION|none",
      description = {
        "Load the model when somebody asks for it, and unload it when nobody did for so long, for",
        "example 10m. none: load it wherever there is room, and unload it only where a model that",
        "is asked for needs the room (the default)."
      })
  private @Nullable String keepAlive;

  /** What was asked for; empty if nothing was. */
  Optional<Retention> retention() {
    boolean pinned = pin != null && pin;
    if (keepAlive == null) {
      return pin == null
          ? Optional.empty()
          : Optional.of(pinned ? Retention.PINNED : Retention.WHILE_THERE_IS_ROOM);
    }
    if (pinned) {
      throw new CommandFailedException(
          ExitCode.USAGE, "a pinned model is never unloaded; give either --pin or --keep-alive");
    }
    return Optional.of(
        keepAlive.equals(NONE)
            ? Retention.WHILE_THERE_IS_ROOM
            : Retention.keepAlive(duration(keepAlive)));
  }

  private static Duration duration(String text) {
    try {
      return new DurationConverter().convert(text);
    } catch (TypeConversionException e) {
      throw new CommandFailedException(ExitCode.USAGE, "--keep-alive: " + e.getMessage());
    }
  }

  /** For people. */
  static String shown(Retention retention) {
    return retention.pinned()
        ? "always (pinned)"
        : retention
            .keepAlive()
            .map(time -> "for %d s after its last use".formatted(time.toSeconds()))
            .orElse("while there is room");
  }
}
