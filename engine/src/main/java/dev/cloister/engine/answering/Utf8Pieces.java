package dev.cloister.engine.answering;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Makes whole characters of bytes that arrive in any pieces. Bytes that are no character become
 * U+FFFD. Not thread-safe.
 */
final class Utf8Pieces {
  private byte[] held = {};

  /** What is certain with these bytes; empty while a character is incomplete. */
  String accept(byte[] bytes) {
    byte[] all = bytes;
    if (held.length > 0) {
      all = Arrays.copyOf(held, held.length + bytes.length);
      System.arraycopy(bytes, 0, all, held.length, bytes.length);
    }
    int whole = all.length - incomplete(all);
    held = whole == all.length ? new byte[0] : Arrays.copyOfRange(all, whole, all.length);
    return new String(all, 0, whole, StandardCharsets.UTF_8);
  }

  /** Bytes at the end that are the start of a character. */
  private static int incomplete(byte[] bytes) {
    for (int length = 1; length <= Math.min(3, bytes.length); length++) {
      int first = bytes[bytes.length - length] & 0xFF;
      if (first < 0x80) {
        return 0;
      }
      if (first >= 0xC0) {
        int wanted = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
        return length < wanted && first < 0xF5 ? length : 0;
      }
    }
    return 0;
  }
}
