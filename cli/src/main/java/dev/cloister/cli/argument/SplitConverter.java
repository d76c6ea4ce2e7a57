package dev.cloister.cli.argument;

import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.client.admin.PlanQuestion;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads over how many nodes a model is spread; {@code auto} is 0, {@code never} 1. */
public final class SplitConverter implements ITypeConverter<Integer> {
  private static final int NEVER = 1;
  private static final int MOST = 64;

  @Override
  public Integer convert(String text) {
    if (text.equals("auto")) {
      return PlanQuestion.AUTO;
    }
    if (text.equals("never")) {
      return NEVER;
    }
    if (!text.matches("[0-9]{1,2}")
        || Integer.parseInt(text) < 2
        || Integer.parseInt(text) > MOST) {
      throw new TypeConversionException(
          "'" + text + "' is no split (expected: auto, never, or 2 to " + MOST + ")");
    }
    return Integer.valueOf(text);
  }

  /**
   * @throws CommandFailedException if there is nothing that could be forced
   */
  public static void requireSplit(boolean force, @Nullable Integer split) {
    if (force && (split == null || split <= NEVER)) {
      throw new CommandFailedException(
          ExitCode.USAGE, "--force without a split (expected: --split N, with N from 2 on)");
    }
  }

  public static String format(int stages) {
    return stages == NEVER ? "never" : String.valueOf(stages);
  }
}
