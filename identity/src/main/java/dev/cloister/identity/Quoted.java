package dev.cloister.identity;

/** Foreign text as it may appear in an error: on one line, printable, and short. */
public final class Quoted {
  private static final int MAX_LENGTH = 120;

  private Quoted() {}

  public static String text(String foreign) {
    String shortened =
        foreign.length() <= MAX_LENGTH ? foreign : foreign.substring(0, MAX_LENGTH) + "...";
    return '"' + shortened.replaceAll("[^ -~]", "?") + '"';
  }
}
