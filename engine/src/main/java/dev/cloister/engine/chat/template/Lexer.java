package dev.cloister.engine.chat.template;

import dev.cloister.engine.chat.template.TemplateException.Fault;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a template into tokens as jinja2's lexer does, with {@code trim_blocks} and {@code
 * lstrip_blocks}: the newline after a block or comment goes, as does white space before one that
 * begins its line; {@code -} takes all white space on its side, {@code +} leaves it.
 *
 * @see <a href="https://jinja.palletsprojects.com/en/stable/templates/#whitespace-control">White
 *     space control</a>
 */
final class Lexer {

  enum Kind {
    DATA,
    PRINT_BEGIN,
    PRINT_END,
    BLOCK_BEGIN,
    BLOCK_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  record Token(Kind kind, String text, int line) {

    boolean is(Kind otherKind, String otherText) {
      return kind == otherKind && text.equals(otherText);
    }

    /** As an error message names it. */
    String shown() {
      return switch (kind) {
        case END -> "the end of the template";
        case DATA -> "text";
        case PRINT_BEGIN, PRINT_END, BLOCK_BEGIN, BLOCK_END -> text;
        case NAME, STRING, INTEGER, FLOAT, OPERATOR -> "'" + text + "'";
      };
    }
  }

  private static final List<String> LONG_OPERATORS = List.of("//", "**", "==", "!=", ">=", "<=");
  private static final String OPERATORS = "+-/*%~[](){}><=.:|,";

  private final String source;
  private final int[] line;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private boolean lineStarts = true;

  private Lexer(String source, int[] line) {
    this.source = source;
    this.line = line;
  }

  /**
   * @param line kept at the line that is read, for the message if it fails
   */
  static List<Token> tokens(String source, int[] line) {
    String text = source.replace("\r\n", "\n").replace('\r', '\n');
    if (text.endsWith("\n")) {
      text = text.substring(0, text.length() - 1);
    }
    Lexer lexer = new Lexer(text, line);
    while (lexer.at < text.length()) {
      lexer.data();
    }
    lexer.add(Kind.END, "");
    return lexer.tokens;
  }

  private void data() {
    int open = nextTag(at);
    if (open < 0) {
      add(Kind.DATA, source.substring(at));
      at = source.length();
      return;
    }
    char type = source.charAt(open + 1);
    int inside = open + 2;
    char sign = inside < source.length() ? source.charAt(inside) : ' ';
    boolean signed = sign == '-' || (sign == '+' && type != '{');
    addData(source.substring(at, open), signed ? sign : ' ', type != '{');
    at = signed ? inside + 1 : inside;
    switch (type) {
      case '#' -> comment();
      case '{' -> {
        add(Kind.PRINT_BEGIN, "{{");
        inside(Kind.PRINT_END, "}}");
      }
      default -> {
        if (!raw()) {
          add(Kind.BLOCK_BEGIN, "{%");
          inside(Kind.BLOCK_END, "%}");
        }
      }
    }
  }

  private int nextTag(int from) {
    for (int i = source.indexOf('{', from); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private void addData(String text, char sign, boolean block) {
    String kept = text;
    if (sign == '-') {
      kept = text.stripTrailing();
    } else if (block && sign != '+') {
      int begin = text.lastIndexOf('\n') + 1;
      if ((begin > 0 || lineStarts) && text.substring(begin).isBlank()) {
        kept = text.substring(0, begin);
      }
    }
    if (!kept.isEmpty()) {
      add(Kind.DATA, kept);
    }
    countLines(text.substring(kept.length()));
  }

  private void comment() {
    int close = source.indexOf("#}", at);
    if (close < 0) {
      throw new Fault("a comment is not closed (expected: #})");
    }
    char sign = close > at ? source.charAt(close - 1) : ' ';
    countLines(source.substring(at, close));
    closed(close + 2, sign, true);
  }

  /** Reads a raw block, if one begins here. */
  private boolean raw() {
    int begin = word("raw", at);
    if (begin < 0) {
      return false;
    }
    char beginSign = source.charAt(begin);
    closed(beginSign == '-' ? begin + 3 : begin + 2, beginSign, false);
    for (int open = source.indexOf("{%", at); open >= 0; open = source.indexOf("{%", open + 2)) {
      char sign = open + 2 < source.length() ? source.charAt(open + 2) : ' ';
      int end = word("endraw", sign == '-' || sign == '+' ? open + 3 : open + 2);
      if (end >= 0) {
        addData(source.substring(at, open), sign, true);
        char endSign = source.charAt(end);
        closed(endSign == '%' ? end + 2 : end + 3, endSign, true);
        return true;
      }
    }
    throw new Fault("{% raw %} is not closed (expected: {% endraw %})");
  }

  /**
   * The place of {@code %}} or its sign after the word, or -1 if the block holds something else.
   */
  private int word(String word, int from) {
    int i = blanks(from);
    if (!source.startsWith(word, i)) {
      return -1;
    }
    i = blanks(i + word.length());
    boolean signed = source.startsWith("-%}", i) || source.startsWith("+%}", i);
    return signed || source.startsWith("%}", i) ? i : -1;
  }

  private int blanks(int from) {
    int i = from;
    while (i < source.length() && Character.isWhitespace(source.charAt(i))) {
      i++;
    }
    return i;
  }

  private void inside(Kind endKind, String end) {
    int open = 0;
    while (true) {
      int begin = blanks(at);
      countLines(source.substring(at, begin));
      at = begin;
      if (at >= source.length()) {
        add(Kind.END, "");
        return;
      }
      char sign = source.charAt(at);
      boolean signed = (sign == '-' || (sign == '+' && endKind == Kind.BLOCK_END));
      if (open == 0 && source.startsWith(end, signed ? at + 1 : at)) {
        add(endKind, end);
        closed(at + (signed ? 3 : 2), signed ? sign : ' ', endKind == Kind.BLOCK_END);
        return;
      }
      Token token = token();
      tokens.add(token);
      if (token.kind() == Kind.OPERATOR) {
        open += "([{".contains(token.text()) ? 1 : ")]}".contains(token.text()) ? -1 : 0;
        if (open < 0) {
          throw new Fault("unexpected '%s'".formatted(token.text()));
        }
      }
    }
  }

  /** Goes on behind the end of a tag. */
  private void closed(int behind, char sign, boolean trims) {
    at = behind;
    lineStarts = false;
    if (sign == '-') {
      int next = blanks(at);
      lineStarts = next > at && source.charAt(next - 1) == '\n';
      countLines(source.substring(at, next));
      at = next;
    } else if (trims && sign != '+' && source.startsWith("\n", at)) {
      lineStarts = true;
      line[0]++;
      at++;
    }
  }

  private Token token() {
    char c = source.charAt(at);
    if (c == '"' || c == '\'') {
      return string(c);
    }
    if (Character.isDigit(c)) {
      return number();
    }
    int begin = at;
    if (Character.isUnicodeIdentifierStart(c) || c == '_') {
      while (at < source.length() && Character.isUnicodeIdentifierPart(source.charAt(at))) {
        at++;
      }
      return new Token(Kind.NAME, source.substring(begin, at), line[0]);
    }
    for (String operator : LONG_OPERATORS) {
      if (source.startsWith(operator, at)) {
        at += 2;
        return new Token(Kind.OPERATOR, operator, line[0]);
      }
    }
    if (OPERATORS.indexOf(c) < 0) {
      throw new Fault(
          "unexpected character '%s'".formatted(Character.toString(source.codePointAt(at))));
    }
    at++;
    return new Token(Kind.OPERATOR, String.valueOf(c), line[0]);
  }

  private Token number() {
    int begin = at;
    boolean afterDot = begin > 0 && source.charAt(begin - 1) == '.';
    digits();
    boolean fraction =
        !afterDot
            && at + 1 < source.length()
            && source.charAt(at) == '.'
            && Character.isDigit(source.charAt(at + 1));
    if (fraction) {
      at++;
      digits();
    }
    boolean exponent = false;
    if (!afterDot && at < source.length() && (source.charAt(at) | 0x20) == 'e') {
      int power = at + 1;
      if (power < source.length() && "+-".indexOf(source.charAt(power)) >= 0) {
        power++;
      }
      if (power < source.length() && Character.isDigit(source.charAt(power))) {
        exponent = true;
        at = power;
        digits();
      }
    }
    String text = source.substring(begin, at).replace("_", "");
    return new Token(fraction || exponent ? Kind.FLOAT : Kind.INTEGER, text, line[0]);
  }

  private void digits() {
    while (at < source.length()
        && (Character.isDigit(source.charAt(at)) || source.charAt(at) == '_')) {
      at++;
    }
  }

  private Token string(char quote) {
    int end = at + 1;
    while (end < source.length() && source.charAt(end) != quote) {
      end += source.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= source.length()) {
      throw new Fault("a string is not closed (expected: %s)".formatted(quote));
    }
    String inner = source.substring(at + 1, end);
    Token token = new Token(Kind.STRING, unescaped(inner), line[0]);
    countLines(inner);
    at = end + 1;
    return token;
  }

  private static String unescaped(String text) {
    if (text.indexOf('\\') < 0) {
      return text;
    }
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '\\') {
        plain.append(c);
        continue;
      }
      char escape = text.charAt(++i);
      int digits =
          switch (escape) {
            case 'x' -> 2;
            case 'u' -> 4;
            case 'U' -> 8;
            default -> 0;
          };
      if (digits > 0) {
        plain.appendCodePoint(hexadecimal(text, i + 1, digits));
        i += digits;
        continue;
      }
      switch (escape) {
        case 'n' -> plain.append('\n');
        case 't' -> plain.append('\t');
        case 'r' -> plain.append('\r');
        case 'b' -> plain.append('\b');
        case 'f' -> plain.append('\f');
        case 'a' -> plain.append('\u0007');
        case 'v' -> plain.append('\u000b');
        case '0' -> plain.append('\0');
        case '\\', '\'', '"' -> plain.append(escape);
        case '\n' -> {}
        default -> plain.append('\\').append(escape);
      }
    }
    return plain.toString();
  }

  private static int hexadecimal(String text, int from, int digits) {
    try {
      int codePoint = Integer.parseInt(text, from, from + digits, 16);
      if (Character.isValidCodePoint(codePoint)) {
        return codePoint;
      }
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      // Told below, as for a number that is no character.
    }
    throw new Fault("a string holds a broken escape sequence");
  }

  private void add(Kind kind, String text) {
    tokens.add(new Token(kind, text, line[0]));
    if (kind == Kind.DATA) {
      countLines(text);
    }
  }

  private void countLines(String text) {
    for (int i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) {
      line[0]++;
    }
  }
}
