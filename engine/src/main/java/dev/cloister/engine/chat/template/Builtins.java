package dev.cloister.engine.chat.template;

import dev.cloister.engine.chat.template.Scope.Rendering;
import dev.cloister.engine.chat.template.TemplateException.Fault;
import dev.cloister.engine.chat.template.Values.Arguments;
import dev.cloister.engine.chat.template.Values.Invocable;
import dev.cloister.engine.chat.template.Values.Namespace;
import dev.cloister.engine.chat.template.Values.Sequence;
import dev.cloister.engine.chat.template.Values.Undefined;
import java.time.ZonedDateTime;
import java.time.format.TextStyle;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions every template sees, and the tests behind {@code is}. */
final class Builtins {

  /** jinja2's sandbox allows no longer range. */
  private static final int MAX_RANGE = 100_000;

  private Builtins() {}

  private enum Global implements Invocable {
    RANGE,
    NAMESPACE,
    DICT,
    RAISE_EXCEPTION,
    STRFTIME_NOW;

    @Override
    public @Nullable Object invoke(Rendering rendering, Arguments arguments) {
      return switch (this) {
        case RANGE -> rendering.handled(range(arguments));
        case NAMESPACE -> new Namespace(entries(arguments));
        case DICT -> rendering.handled(entries(arguments));
        case RAISE_EXCEPTION ->
            throw Fault.refusal(TextForm.string(arguments.require(0, "message"), rendering));
        case STRFTIME_NOW -> time(arguments.text(0, "format"), rendering.now());
      };
    }
  }

  /** The function of the name, or undefined. */
  static Object global(String name) {
    return switch (name) {
      case "range" -> Global.RANGE;
      case "namespace" -> Global.NAMESPACE;
      case "dict" -> Global.DICT;
      case "raise_exception" -> Global.RAISE_EXCEPTION;
      case "strftime_now" -> Global.STRFTIME_NOW;
      default -> new Undefined("'%s' is undefined".formatted(name));
    };
  }

  private static Sequence range(Arguments arguments) {
    long first = Values.integer(arguments.require(0, "start"));
    boolean one = !arguments.has(1, "stop");
    long from = one ? 0 : first;
    long to = one ? first : arguments.integer(1, "stop", 0);
    long step = arguments.integer(2, "step", 1);
    if (step == 0) {
      throw new Fault("the step of a range is 0");
    }
    List<@Nullable Object> numbers = new ArrayList<>();
    for (long i = from; step > 0 ? i < to : i > to; i += step) {
      if (numbers.size() == MAX_RANGE) {
        throw new Fault("a range is longer than %d".formatted(MAX_RANGE));
      }
      numbers.add(i);
    }
    String shown =
        step == 1
            ? "range(%d, %d)".formatted(from, to)
            : "range(%d, %d, %d)".formatted(from, to, step);
    return new Sequence(Sequence.Kind.RANGE, shown, numbers);
  }

  private static Map<@Nullable Object, @Nullable Object> entries(Arguments arguments) {
    Map<@Nullable Object, @Nullable Object> entries = new LinkedHashMap<>();
    if (arguments.get(0, "", null) instanceof Map<?, ?> given) {
      entries.putAll(given);
    }
    entries.putAll(arguments.named());
    return entries;
  }

  /** C's strftime in its own locale, with glibc's {@code -} for numbers that are not padded. */
  private static String time(String format, ZonedDateTime now) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      c = format.charAt(++i);
      boolean bare = c == '-' && i + 1 < format.length();
      if (bare) {
        c = format.charAt(++i);
      }
      int hour = now.getHour() % 12 == 0 ? 12 : now.getHour() % 12;
      switch (c) {
        case 'Y' -> out.append(now.getYear());
        case 'y' -> padded(now.getYear() % 100, bare ? 1 : 2, out);
        case 'm' -> padded(now.getMonthValue(), bare ? 1 : 2, out);
        case 'd' -> padded(now.getDayOfMonth(), bare ? 1 : 2, out);
        case 'H' -> padded(now.getHour(), bare ? 1 : 2, out);
        case 'I' -> padded(hour, bare ? 1 : 2, out);
        case 'M' -> padded(now.getMinute(), bare ? 1 : 2, out);
        case 'S' -> padded(now.getSecond(), bare ? 1 : 2, out);
        case 'j' -> padded(now.getDayOfYear(), bare ? 1 : 3, out);
        case 'e' -> out.append("%2d".formatted(now.getDayOfMonth()));
        case 'p' -> out.append(now.getHour() < 12 ? "AM" : "PM");
        case 'B' -> out.append(now.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH));
        case 'b', 'h' ->
            out.append(now.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH), 0, 3);
        case 'A' -> out.append(now.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH));
        case 'a' ->
            out.append(now.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH), 0, 3);
        case 'F' -> out.append(time("%Y-%m-%d", now));
        case 'T' -> out.append(time("%H:%M:%S", now));
        case 'Z', 'z' -> {}
        case '%' -> out.append('%');
        default -> throw new Fault("strftime_now does not know %%%s".formatted(c));
      }
    }
    return out.toString();
  }

  private static void padded(int number, int width, StringBuilder out) {
    out.append("0".repeat(Math.max(0, width - String.valueOf(number).length()))).append(number);
  }

  /** {@code value is name(arguments)}. */
  static boolean test(
      String name, @Nullable Object value, Arguments arguments, Rendering rendering) {
    return switch (name) {
      case "defined" -> !(value instanceof Undefined);
      case "undefined" -> value instanceof Undefined;
      case "none" -> value == null;
      case "string" -> value instanceof String;
      case "number" -> Operators.isNumber(value);
      case "integer" -> value instanceof Long;
      case "float" -> value instanceof Double;
      case "boolean" -> value instanceof Boolean;
      case "true" -> Boolean.TRUE.equals(value);
      case "false" -> Boolean.FALSE.equals(value);
      case "mapping" -> value instanceof Map<?, ?>;
      case "sequence" ->
          value instanceof String
              || value instanceof Map<?, ?>
              || value instanceof Undefined
              || (value instanceof List<?>
                  && !(value instanceof Sequence view && view.kind() == Sequence.Kind.GENERATOR));
      case "iterable" ->
          value instanceof String
              || value instanceof Map<?, ?>
              || value instanceof List<?>
              || value instanceof Undefined;
      case "callable" -> value instanceof Invocable;
      case "odd" -> Math.floorMod(Values.integer(value), 2) == 1;
      case "even" -> Math.floorMod(Values.integer(value), 2) == 0;
      case "divisibleby" ->
          Operators.equal(
              Operators.binary("%", value, arguments.require(0, "num"), rendering), 0L, rendering);
      case "eq", "equalto", "==" -> Operators.equal(value, other(arguments), rendering);
      case "ne", "!=" -> !Operators.equal(value, other(arguments), rendering);
      case "lt", "lessthan", "<" -> Operators.compare(value, other(arguments), "<", rendering) < 0;
      case "le", "<=" -> Operators.compare(value, other(arguments), "<=", rendering) <= 0;
      case "gt", "greaterthan", ">" ->
          Operators.compare(value, other(arguments), ">", rendering) > 0;
      case "ge", ">=" -> Operators.compare(value, other(arguments), ">=", rendering) >= 0;
      case "in" -> Operators.contains(other(arguments), value, rendering);
      case "sameas" -> same(value, other(arguments), rendering);
      case "lower" -> Methods.isLower(TextForm.string(value, rendering));
      case "upper" -> Methods.isUpper(TextForm.string(value, rendering));
      default -> throw new Fault("there is no test named '%s'".formatted(name));
    };
  }

  private static @Nullable Object other(Arguments arguments) {
    return arguments.require(0, "other");
  }

  // Python's "is" is about identity wherever a value can change or be large.
  @SuppressWarnings("ReferenceEquality")
  private static boolean same(@Nullable Object a, @Nullable Object b, Rendering rendering) {
    boolean scalars = !(a instanceof List<?>) && !(a instanceof Map<?, ?>);
    return scalars
        ? Values.typeName(a).equals(Values.typeName(b)) && Operators.equal(a, b, rendering)
        : a == b;
  }
}
