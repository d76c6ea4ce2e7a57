package dev.cloister.engine.chat.template;

import dev.cloister.engine.chat.template.Scope.Rendering;
import dev.cloister.engine.chat.template.TemplateException.Fault;
import dev.cloister.engine.chat.template.Values.Arguments;
import dev.cloister.engine.chat.template.Values.Sequence;
import dev.cloister.engine.chat.template.Values.Undefined;
import java.math.BigDecimal;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Writes values as Python's {@code str}, {@code repr}, {@code %} and {@code json.dumps} do. */
final class TextForm {

  private TextForm() {}

  /** As {@code {{ value }}} prints it. */
  static String string(@Nullable Object value, Rendering rendering) {
    if (value instanceof String text) {
      return rendering.handled(text);
    }
    if (value instanceof Undefined) {
      return "";
    }
    StringBuilder out = new StringBuilder();
    represent(value, out, rendering);
    return rendering.handled(out.toString());
  }

  private static void represent(@Nullable Object value, StringBuilder out, Rendering rendering) {
    rendering.handled(value);
    rendering.enter();
    switch (value) {
      case null -> out.append("None");
      case Boolean truth -> out.append(truth ? "True" : "False");
      case Long number -> out.append(number);
      case Double number -> out.append(number(number));
      case String text -> quote(text, out);
      case Sequence sequence -> sequence(sequence, out, rendering);
      case List<?> list -> elements("[", list, "]", out, rendering);
      case Map<?, ?> map -> {
        out.append('{');
        String separator = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          out.append(separator);
          represent(entry.getKey(), out, rendering);
          out.append(": ");
          represent(entry.getValue(), out, rendering);
          separator = ", ";
        }
        out.append('}');
      }
      case Undefined missing -> out.append("Undefined");
      default -> out.append('<').append(Values.typeName(value)).append('>');
    }
    rendering.leave();
  }

  private static void sequence(Sequence sequence, StringBuilder out, Rendering rendering) {
    switch (sequence.kind()) {
      case TUPLE -> elements("(", sequence, sequence.size() == 1 ? ",)" : ")", out, rendering);
      case RANGE -> out.append(sequence.shown());
      case KEYS, VALUES, ITEMS -> elements(sequence.shown() + "([", sequence, "])", out, rendering);
      case GENERATOR -> out.append("<generator>");
    }
  }

  private static void elements(
      String open, List<?> list, String close, StringBuilder out, Rendering rendering) {
    out.append(open);
    String separator = "";
    for (Object element : list) {
      out.append(separator);
      represent(element, out, rendering);
      separator = ", ";
    }
    out.append(close);
  }

  private static void quote(String text, StringBuilder out) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    out.append(quote);
    text.codePoints().forEach(c -> out.append(quoted(c, quote)));
    out.append(quote);
  }

  private static String quoted(int c, char quote) {
    return switch (c) {
      case '\\' -> "\\\\";
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      default -> {
        if (c == quote) {
          yield "\\" + quote;
        }
        yield printable(c) ? Character.toString(c) : escaped(c);
      }
    };
  }

  private static boolean printable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }

  private static String escaped(int c) {
    return String.format(
        Locale.ROOT, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
  }

  /** The shortest digits that give the number back, laid out as Python does. */
  static String number(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    BigDecimal exact = new BigDecimal(Double.toString(value)).stripTrailingZeros();
    int exponent = exact.precision() - exact.scale() - 1;
    if (exponent >= -4 && exponent < 16) {
      String plain = exact.toPlainString();
      return plain.indexOf('.') < 0 ? plain + ".0" : plain;
    }
    String digits = exact.unscaledValue().abs().toString();
    String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
    return "%s%s%se%s%02d"
        .formatted(
            value < 0 ? "-" : "",
            digits.charAt(0),
            fraction,
            exponent < 0 ? "-" : "+",
            Math.abs(exponent));
  }

  /** {@code tojson} as transformers defines it: {@code json.dumps}, non-ASCII kept by default. */
  static String json(@Nullable Object value, Arguments arguments, Rendering rendering) {
    Json json = new Json(arguments, rendering);
    json.write(value, 0);
    return rendering.handled(json.out.toString());
  }

  private static final class Json {

    final StringBuilder out = new StringBuilder();
    private final Rendering rendering;
    private final boolean ascii;
    private final boolean sorted;
    private final @Nullable String indent;
    private final String comma;
    private final String colon;

    Json(Arguments arguments, Rendering rendering) {
      this.rendering = rendering;
      ascii = arguments.flag(0, "ensure_ascii");
      Object step = arguments.get(1, "indent", null);
      indent =
          step == null || step instanceof String
              ? (String) step
              : " ".repeat(Math.clamp(Values.integer(step), 0, 100));
      Object separators = arguments.get(2, "separators", null);
      if (separators instanceof List<?> pair && pair.size() == 2) {
        comma = string(pair.get(0), rendering);
        colon = string(pair.get(1), rendering);
      } else {
        comma = indent == null ? ", " : ",";
        colon = ": ";
      }
      sorted = arguments.flag(3, "sort_keys");
    }

    void write(@Nullable Object value, int depth) {
      rendering.handled(value);
      rendering.enter();
      switch (value) {
        case null -> out.append("null");
        case Boolean truth -> out.append(truth);
        case Long number -> out.append(number);
        case Double number ->
            out.append(
                number.isNaN()
                    ? "NaN"
                    : number.isInfinite() ? number > 0 ? "Infinity" : "-Infinity" : number(number));
        case String text -> quote(text);
        case Sequence view when view.kind() != Sequence.Kind.TUPLE -> throw notJson(view);
        case List<?> list -> {
          out.append('[');
          for (Iterator<?> i = list.iterator(); i.hasNext(); out.append(i.hasNext() ? comma : "")) {
            newLine(depth + 1);
            write(i.next(), depth + 1);
          }
          close(list.isEmpty(), depth, ']');
        }
        case Map<?, ?> map -> {
          out.append('{');
          Map<?, ?> entries = sorted ? sortedByName(map) : map;
          for (Iterator<? extends Map.Entry<?, ?>> i = entries.entrySet().iterator();
              i.hasNext();
              out.append(i.hasNext() ? comma : "")) {
            Map.Entry<?, ?> entry = i.next();
            newLine(depth + 1);
            name(entry.getKey());
            out.append(colon);
            write(entry.getValue(), depth + 1);
          }
          close(map.isEmpty(), depth, '}');
        }
        default -> throw notJson(value);
      }
      rendering.leave();
    }

    private Map<?, ?> sortedByName(Map<?, ?> map) {
      Map<@Nullable Object, @Nullable Object> sorted =
          new TreeMap<>((a, b) -> Operators.compare(a, b, "<", rendering));
      sorted.putAll(map);
      return sorted;
    }

    private void name(@Nullable Object key) {
      if (key instanceof String text) {
        quote(text);
      } else {
        out.append('"');
        write(key, 0);
        out.append('"');
      }
    }

    private void close(boolean empty, int depth, char bracket) {
      if (!empty) {
        newLine(depth);
      }
      out.append(bracket);
    }

    private void newLine(int depth) {
      if (indent != null) {
        rendering.spend(1 + (long) indent.length() * depth / 4);
        out.append('\n').append(indent.repeat(depth));
      }
    }

    private static Fault notJson(Object value) {
      return new Fault(
          value instanceof Undefined missing
              ? missing.reason() + ", so that it cannot be written as JSON"
              : "a %s cannot be written as JSON".formatted(Values.typeName(value)));
    }

    private void quote(String text) {
      out.append('"');
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        switch (c) {
          case '"', '\\' -> out.append('\\').append(c);
          case '\n' -> out.append("\\n");
          case '\r' -> out.append("\\r");
          case '\t' -> out.append("\\t");
          case '\b' -> out.append("\\b");
          case '\f' -> out.append("\\f");
          default -> {
            if (c < ' ' || (ascii && c > '~')) {
              out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
              out.append(c);
            }
          }
        }
      }
      out.append('"');
    }
  }

  /** Python's {@code format % values}, with the conversions s, r, d, i, f, x and %. */
  static String percent(
      String format, List<? extends @Nullable Object> values, Rendering rendering) {
    StringBuilder out = new StringBuilder();
    Iterator<? extends @Nullable Object> next = values.iterator();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%') {
        out.append(c);
        continue;
      }
      int begin = i;
      do {
        i++;
      } while (i < format.length() && "-+ 0#.123456789".indexOf(format.charAt(i)) >= 0);
      if (i >= format.length() || i - begin > 5) {
        throw new Fault("'%s' is a malformed format".formatted(format));
      }
      if (format.charAt(i) == '%') {
        out.append('%');
        continue;
      }
      if (!next.hasNext()) {
        throw new Fault("not enough arguments for the format");
      }
      out.append(converted(format.substring(begin, i), format.charAt(i), next.next(), rendering));
    }
    if (next.hasNext()) {
      throw new Fault("not all arguments are used by the format");
    }
    return rendering.handled(out.toString());
  }

  private static String converted(
      String flags, char conversion, @Nullable Object value, Rendering rendering) {
    Object given =
        switch (conversion) {
          case 's' -> string(value, rendering);
          case 'r' -> {
            StringBuilder text = new StringBuilder();
            represent(value, text, rendering);
            yield text.toString();
          }
          case 'd', 'i', 'x', 'X' ->
              value instanceof Double real ? (long) (double) real : Values.integer(value);
          case 'f' -> Operators.real(value);
          default -> throw new Fault("unknown format %%%s".formatted(conversion));
        };
    char java = conversion == 'r' ? 's' : conversion == 'i' ? 'd' : conversion;
    try {
      return String.format(Locale.ROOT, flags + java, given);
    } catch (IllegalArgumentException malformed) {
      throw new Fault("'%s%s' is a malformed format".formatted(flags, conversion));
    }
  }

  /** Python's {@code format.format(...)}: fields by turn, by number or by name, and no more. */
  static String braces(String format, Arguments arguments, Rendering rendering) {
    StringBuilder out = new StringBuilder();
    int turn = 0;
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if ((c == '{' || c == '}') && format.startsWith(String.valueOf(c), i + 1)) {
        out.append(c);
        i++;
        continue;
      }
      if (c != '{') {
        out.append(c);
        continue;
      }
      int end = format.indexOf('}', i);
      if (end < 0) {
        throw new Fault("'%s' is a malformed format".formatted(format));
      }
      String field = format.substring(i + 1, end);
      boolean numbered = !field.isEmpty() && field.chars().allMatch(Character::isDigit);
      int index =
          field.isEmpty() ? turn++ : numbered ? (int) Values.parse(field) : Integer.MAX_VALUE;
      out.append(string(arguments.require(index, field), rendering));
      i = end;
    }
    return out.toString();
  }
}
