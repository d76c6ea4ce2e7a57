package dev.cloister.agent.courtesy;

import java.time.DateTimeException;
import java.time.LocalTime;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Hours of each day by the machine's own clock, from {@code from} to before {@code to}; over
 * midnight where that is earlier, and all day where both are the same.
 */
public record Hours(LocalTime from, LocalTime to) {
  private static final Pattern FORMAT = Pattern.compile("(\\d{2}:\\d{2})-(\\d{2}:\\d{2})");

  /**
   * Reads {@code 18:00-08:00}.
   *
   * @throws IllegalArgumentException if it is something else; the message is one sentence
   */
  public static Hours parse(String text) {
    Matcher matcher = FORMAT.matcher(text);
    try {
      if (matcher.matches()) {
        return new Hours(LocalTime.parse(matcher.group(1)), LocalTime.parse(matcher.group(2)));
      }
    } catch (DateTimeException e) {
      throw new IllegalArgumentException(expected(text), e);
    }
    throw new IllegalArgumentException(expected(text));
  }

  private static String expected(String text) {
    return "'" + text + "' are no hours (expected: for example 18:00-08:00)";
  }

  boolean contain(LocalTime time) {
    boolean late = !time.isBefore(from);
    boolean early = time.isBefore(to);
    return from.isBefore(to) ? late && early : late || early;
  }

  /** {@code 18:00-08:00}. */
  @Override
  public String toString() {
    return from + "-" + to;
  }
}
