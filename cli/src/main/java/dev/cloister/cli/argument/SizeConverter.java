package dev.cloister.cli.argument;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code 512MiB}, {@code 2GiB}, {@code 0}, in bytes. */
public final class SizeConverter implements ITypeConverter<Long> {
  private static final Pattern FORMAT = Pattern.compile("0|([0-9]{1,6})([KMGT])iB");

  @Override
  public Long convert(String text) {
    Matcher matcher = FORMAT.matcher(text);
    if (!matcher.matches()) {
      throw new TypeConversionException(
          "'" + text + "' is no size (expected: for example 512MiB, 2GiB, or 0)");
    }
    return text.equals("0")
        ? 0
        : Long.parseLong(matcher.group(1)) << (10 * (1 + "KMGT".indexOf(matcher.group(2))));
  }
}
