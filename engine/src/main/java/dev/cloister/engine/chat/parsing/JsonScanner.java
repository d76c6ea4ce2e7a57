package dev.cloister.engine.chat.parsing;

/**
 * Follows one JSON object or array, character by character, to find its end and to see at once that
 * text is not JSON. Numbers, {@code true}, {@code false} and {@code null} are taken for any word of
 * their characters, which a parser reads later. Not thread-safe.
 */
final class JsonScanner {

  /** What a character did. */
  enum Result {
    MORE,
    DONE,
    INVALID
  }

  private enum Expected {
    START,
    VALUE,
    VALUE_OR_END,
    KEY,
    KEY_OR_END,
    COLON,
    COMMA_OR_END,
    WORD,
    STRING,
    ESCAPE
  }

  private static final int MAX_DEPTH = 200;

  private final StringBuilder open = new StringBuilder();
  private Expected expected = Expected.START;
  private boolean inKey;

  Result accept(char c) {
    return switch (expected) {
      case STRING -> string(c);
      case ESCAPE -> next("\"\\/bfnrtu".indexOf(c) >= 0, Expected.STRING);
      case WORD -> {
        if (isWord(c)) {
          yield Result.MORE;
        }
        expected = Expected.COMMA_OR_END;
        yield accept(c);
      }
      case START, VALUE, VALUE_OR_END, KEY, KEY_OR_END, COLON, COMMA_OR_END ->
          isSpace(c) ? Result.MORE : token(c);
    };
  }

  private Result string(char c) {
    if (c == '"') {
      expected = inKey ? Expected.COLON : Expected.COMMA_OR_END;
      inKey = false;
    } else if (c == '\\') {
      expected = Expected.ESCAPE;
    }
    return c < ' ' ? Result.INVALID : Result.MORE;
  }

  private Result token(char c) {
    return switch (c) {
      case '{', '[' -> open(c);
      case '}', ']' -> close(c);
      case '"' -> quote();
      case ':' -> next(expected == Expected.COLON, Expected.VALUE);
      case ',' ->
          next(expected == Expected.COMMA_OR_END, inObject() ? Expected.KEY : Expected.VALUE);
      default -> next(takesValue() && expected != Expected.START && isWord(c), Expected.WORD);
    };
  }

  private Result open(char c) {
    boolean fits = takesValue() && open.length() < MAX_DEPTH;
    open.append(c);
    return next(fits, c == '{' ? Expected.KEY_OR_END : Expected.VALUE_OR_END);
  }

  private Result close(char c) {
    boolean fits =
        !open.isEmpty()
            && inObject() == (c == '}')
            && (expected == Expected.COMMA_OR_END
                || expected == Expected.KEY_OR_END
                || expected == Expected.VALUE_OR_END);
    if (!fits) {
      return Result.INVALID;
    }
    open.setLength(open.length() - 1);
    expected = Expected.COMMA_OR_END;
    return open.isEmpty() ? Result.DONE : Result.MORE;
  }

  private Result quote() {
    inKey = expected == Expected.KEY || expected == Expected.KEY_OR_END;
    return next(inKey || (takesValue() && expected != Expected.START), Expected.STRING);
  }

  private Result next(boolean fits, Expected next) {
    expected = next;
    return fits ? Result.MORE : Result.INVALID;
  }

  private boolean takesValue() {
    return expected == Expected.START
        || expected == Expected.VALUE
        || expected == Expected.VALUE_OR_END;
  }

  private boolean inObject() {
    return !open.isEmpty() && open.charAt(open.length() - 1) == '{';
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
  }

  private static boolean isWord(char c) {
    return (c >= '0' && c <= '9')
        || (c >= 'a' && c <= 'z')
        || c == '-'
        || c == '+'
        || c == '.'
        || c == 'E';
  }
}
