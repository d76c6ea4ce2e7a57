package dev.cloister.identity;

import java.util.Random;

/** Random names of lower-case letters and the digits 2 to 7: five bits a character. */
public final class Base32Name {
  private static final String ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

  private Base32Name() {}

  public static String random(Random random, int length) {
    StringBuilder name = new StringBuilder(length);
    for (int i = 0; i < length; i++) {
      name.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
    }
    return name.toString();
  }
}
