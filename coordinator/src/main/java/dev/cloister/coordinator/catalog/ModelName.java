package dev.cloister.coordinator.catalog;

import java.util.regex.Pattern;

/** The grammar of model names. Paths are never built from them. */
public final class ModelName {
  private static final Pattern GRAMMAR =
      Pattern.compile(
          "[A-Za-z0-9][A-Za-z0-9._-]{0,62}(/[A-Za-z0-9][A-Za-z0-9._-]{0,62})?(:[A-Za-z0-9._-]{1,63})?");

  private static final int MOST_SHOWN = 128;

  private ModelName() {}

  /**
   * Whether {@code name} could name a model: 1 to 63 letters, digits, {@code .}, {@code _} and
   * {@code -}, optionally two such parts joined by {@code /}, optionally a tag after {@code :}.
   */
  public static boolean isValid(String name) {
    return GRAMMAR.matcher(name).matches();
  }

  /** A name that somebody asked for, fit for an error message: one line, not longer than a name. */
  public static String shown(String name) {
    String line = name.replaceAll("[\\p{Cntrl}\\p{Cs}\\p{Zl}\\p{Zp}]", "?");
    return line.codePointCount(0, line.length()) <= MOST_SHOWN
        ? line
        : line.substring(0, line.offsetByCodePoints(0, MOST_SHOWN)) + "...";
  }
}
