package dev.cloister.coordinator.inference;

import java.util.Objects;

/** A request that no engine could answer. The message is one sentence for the caller. */
public final class InvalidGenerationException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String parameter;

  public InvalidGenerationException(String parameter, String message) {
    super(message);
    this.parameter = parameter;
  }

  @Override
  public String getMessage() {
    return Objects.requireNonNull(super.getMessage());
  }

  /** Which parameter is wrong, by its name in the OpenAI API. */
  public String parameter() {
    return parameter;
  }

  /** Throws unless the value is 0 to {@code most}. */
  static void requireWithin(String parameter, int value, int most) {
    if (value < 0 || value > most) {
      throw new InvalidGenerationException(
          parameter, parameter + " is " + value + " (expected: 0 to " + most + ")");
    }
  }
}
