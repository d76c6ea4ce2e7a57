package dev.cloister.cli.argument;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a number of layers, or {@code all}, which is -1. */
public final class LayersConverter implements ITypeConverter<Integer> {
  private static final int ALL = -1;

  @Override
  public Integer convert(String text) {
    if (text.equals("all")) {
      return ALL;
    }
    if (!text.matches("[0-9]{1,5}")) {
      throw new TypeConversionException(
          "'" + text + "' is no number of layers (expected: all, or 0 to 10000)");
    }
    return Integer.valueOf(text);
  }

  public static String format(int layers) {
    return layers == ALL ? "all" : String.valueOf(layers);
  }
}
