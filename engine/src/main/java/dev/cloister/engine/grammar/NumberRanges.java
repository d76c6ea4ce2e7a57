package dev.cloister.engine.grammar;

import java.util.ArrayList;
import java.util.List;

/** Numbers between bounds, digit by digit. */
final class NumberRanges {

  /** The largest integer written: as many digits as numbers without bounds have. */
  static final long MOST = 9_999_999_999_999_999L;

  /**
   * One end of a range.
   *
   * @param exclusive whether the value itself is outside
   */
  record Bound(long value, boolean exclusive) {}

  private NumberRanges() {}

  /** Integers from {@code lowest} to {@code highest}, both included and within {@link #MOST}. */
  static String integers(long lowest, long highest) {
    List<String> alternatives = new ArrayList<>();
    if (lowest < 0) {
      alternatives.add("\"-\" (%s)".formatted(magnitudes(Math.max(1, -highest), -lowest)));
    }
    if (highest >= 0) {
      alternatives.add(magnitudes(Math.max(0, lowest), highest));
    }
    return String.join(" | ", alternatives);
  }

  /** Numbers without exponent in a range. */
  static String numbers(Bound lowest, Bound highest) {
    List<String> alternatives = new ArrayList<>();
    if (lowest.value < 0) {
      Bound nearest =
          highest.value < 0 ? new Bound(-highest.value, highest.exclusive) : new Bound(0, true);
      Bound farthest = new Bound(-lowest.value, lowest.exclusive);
      alternatives.add("\"-\" (%s)".formatted(fractions(nearest, farthest)));
    }
    if (highest.value > 0 || (highest.value == 0 && lowest.value < 0 && !highest.exclusive)) {
      Bound nearest = lowest.value < 0 ? new Bound(0, false) : lowest;
      alternatives.add(fractions(nearest, highest));
    } else if (highest.value == 0 && lowest.value == 0) {
      alternatives.add(fractions(lowest, highest));
    }
    return String.join(" | ", alternatives);
  }

  /** Numbers without sign: near.value <= far.value. */
  private static String fractions(Bound near, Bound far) {
    List<String> alternatives = new ArrayList<>();
    long first = near.value;
    if (near.exclusive && first < far.value) {
      alternatives.add("\"%d.\" \"0\"{0,14} [1-9] [0-9]{0,14}".formatted(first));
      first++;
    }
    if (first < far.value) {
      alternatives.add("(%s) (\".\" [0-9]{1,15})?".formatted(magnitudes(first, far.value - 1)));
    }
    if (!far.exclusive) {
      alternatives.add("\"%d\" (\".\" \"0\"{1,15})?".formatted(far.value));
    }
    return String.join(" | ", alternatives);
  }

  /** Integers without sign and leading zeros. */
  private static String magnitudes(long lowest, long highest) {
    List<String> alternatives = new ArrayList<>();
    long from = lowest;
    while (from <= highest) {
      String first = Long.toString(from);
      long longest = Long.parseLong("9".repeat(first.length()));
      String last = Long.toString(Math.min(longest, highest));
      alternatives.add(sameLength(first, last));
      from = longest + 1;
    }
    return String.join(" | ", alternatives);
  }

  private static String sameLength(String first, String last) {
    if (first.equals(last)) {
      return '"' + first + '"';
    }
    int rest = first.length() - 1;
    if (rest == 0) {
      return digits(first.charAt(0), last.charAt(0), 0);
    }
    if (first.charAt(0) == last.charAt(0)) {
      return "\"%c\" (%s)"
          .formatted(first.charAt(0), sameLength(first.substring(1), last.substring(1)));
    }
    char from = first.charAt(0);
    char to = last.charAt(0);
    List<String> alternatives = new ArrayList<>();
    String zeros = "0".repeat(rest);
    String nines = "9".repeat(rest);
    String firstRest = first.substring(1);
    String lastRest = last.substring(1);
    if (!firstRest.equals(zeros)) {
      alternatives.add("\"%c\" (%s)".formatted(from, sameLength(firstRest, nines)));
      from++;
    }
    char wholeTo = lastRest.equals(nines) ? to : (char) (to - 1);
    if (from <= wholeTo) {
      alternatives.add(digits(from, wholeTo, rest));
    }
    if (wholeTo < to) {
      alternatives.add("\"%c\" (%s)".formatted(to, sameLength(zeros, lastRest)));
    }
    return String.join(" | ", alternatives);
  }

  private static String digits(char from, char to, int more) {
    String first = from == to ? "[%c]".formatted(from) : "[%c-%c]".formatted(from, to);
    return more == 0 ? first : "%s [0-9]{%d}".formatted(first, more);
  }
}
