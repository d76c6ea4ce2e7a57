package dev.cloister.agent.fingerprint.host;

import java.util.Locale;
import java.util.OptionalLong;

/** One field of a tool's output, which is not trusted: it may be anything, of any length. */
public final class ToolField {

  static final long KIB = 1024;
  public static final long MIB = KIB * 1024;
  static final long GIB = MIB * 1024;

  /** Nothing built so far comes near: 16 TiB. More is a misreading and counts as unknown. */
  private static final long PLAUSIBLE_BYTES = 16 * 1024 * GIB;

  private static final int NAME_LENGTH = 128;

  private ToolField() {}

  /** One line of printable text, cut to a length fit for a report; empty if there is none. */
  public static String name(String field) {
    String printable = field.replaceAll("[\\p{Cntrl}\\uFFFD]+", " ").strip();
    return printable.length() <= NAME_LENGTH ? printable : printable.substring(0, NAME_LENGTH);
  }

  /** A count of {@code unit} bytes; empty if it is no number, negative or absurdly large. */
  public static OptionalLong bytes(String field, long unit) {
    try {
      long count = Long.parseLong(field.strip());
      return count < 0 || count > PLAUSIBLE_BYTES / unit
          ? OptionalLong.empty()
          : OptionalLong.of(count * unit);
    } catch (NumberFormatException notANumber) {
      return OptionalLong.empty();
    }
  }

  /** A size with its unit, such as {@code 4 GB} or {@code 1536 MB}, both meant in powers of two. */
  public static OptionalLong size(String field) {
    String text = field.strip().toUpperCase(Locale.ROOT);
    if (text.endsWith("GB")) {
      return bytes(text.substring(0, text.length() - 2), GIB);
    }
    return text.endsWith("MB")
        ? bytes(text.substring(0, text.length() - 2), MIB)
        : OptionalLong.empty();
  }
}
