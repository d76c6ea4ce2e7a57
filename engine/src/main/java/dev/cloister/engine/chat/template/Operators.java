package dev.cloister.engine.chat.template;

import dev.cloister.engine.chat.template.Scope.Rendering;
import dev.cloister.engine.chat.template.TemplateException.Fault;
import dev.cloister.engine.chat.template.Values.Attributed;
import dev.cloister.engine.chat.template.Values.Invocable;
import dev.cloister.engine.chat.template.Values.Sequence;
import dev.cloister.engine.chat.template.Values.Undefined;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Python's operators on templates' values, its integers limited to 64 bits. */
final class Operators {

  private Operators() {}

  static boolean truth(@Nullable Object value) {
    return switch (value) {
      case null -> false;
      case Boolean truth -> truth;
      case Long number -> number != 0;
      case Double number -> number != 0;
      case String text -> !text.isEmpty();
      case Sequence sequence -> sequence.kind() == Sequence.Kind.GENERATOR || !sequence.isEmpty();
      case List<?> list -> !list.isEmpty();
      case Map<?, ?> map -> !map.isEmpty();
      case Undefined missing -> false;
      default -> true;
    };
  }

  static boolean equal(@Nullable Object a, @Nullable Object b, Rendering rendering) {
    rendering.enter();
    rendering.handled(a);
    boolean equal = alike(a, b, rendering);
    rendering.leave();
    return equal;
  }

  private static boolean alike(@Nullable Object a, @Nullable Object b, Rendering rendering) {
    if (a == null || b == null) {
      return a == null && b == null;
    }
    if (isNumber(a) && isNumber(b)) {
      return (a instanceof Double || b instanceof Double)
          ? (real(a) == real(b))
          : (Values.integer(a) == Values.integer(b));
    }
    if (a instanceof List<?> x && b instanceof List<?> y) {
      if (x.size() != y.size() || isTuple(x) != isTuple(y)) {
        return false;
      }
      for (int i = 0; i < x.size(); i++) {
        if (!equal(x.get(i), y.get(i), rendering)) {
          return false;
        }
      }
      return true;
    }
    if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
      if (x.size() != y.size()) {
        return false;
      }
      for (Map.Entry<?, ?> entry : x.entrySet()) {
        if (!y.containsKey(entry.getKey())
            || !equal(entry.getValue(), y.get(entry.getKey()), rendering)) {
          return false;
        }
      }
      return true;
    }
    return a instanceof Undefined ? b instanceof Undefined : a.equals(b);
  }

  /** As Python orders two values; the operator is for the message when it does not. */
  static int compare(@Nullable Object a, @Nullable Object b, String operator, Rendering rendering) {
    rendering.handled(a);
    if (isNumber(a) && isNumber(b)) {
      return a instanceof Double || b instanceof Double
          ? Double.compare(real(a), real(b))
          : Long.compare(Values.integer(a), Values.integer(b));
    }
    if (a instanceof String x && b instanceof String y) {
      return compareText(x, y);
    }
    if (a instanceof List<?> x && b instanceof List<?> y && isTuple(x) == isTuple(y)) {
      for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
        if (!equal(x.get(i), y.get(i), rendering)) {
          return compare(x.get(i), y.get(i), operator, rendering);
        }
      }
      return Integer.compare(x.size(), y.size());
    }
    throw unsupported(operator, a, b);
  }

  static Comparator<@Nullable Object> order(Rendering rendering) {
    return (a, b) -> compare(a, b, "<", rendering);
  }

  /** By code point, where Java's own order is by UTF-16 unit. */
  private static int compareText(String a, String b) {
    for (int i = 0; i < Math.min(a.length(), b.length()); i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        boolean rareX = Character.isSurrogate(x);
        return rareX == Character.isSurrogate(y) ? Character.compare(x, y) : rareX ? 1 : -1;
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  static boolean contains(@Nullable Object container, @Nullable Object item, Rendering rendering) {
    rendering.handled(container);
    return switch (container) {
      case String text -> {
        if (item instanceof String part) {
          yield text.contains(part);
        }
        throw new Fault(
            "'in <string>' requires a string (given: %s)".formatted(Values.typeName(item)));
      }
      case Map<?, ?> map -> map.containsKey(Values.key(item));
      case null, default -> {
        for (Object element : elements(container, rendering)) {
          if (equal(element, item, rendering)) {
            yield true;
          }
        }
        yield false;
      }
    };
  }

  /** What a loop over the value meets: a dict's keys, a string's characters. */
  static List<? extends @Nullable Object> elements(@Nullable Object value, Rendering rendering) {
    rendering.handled(value);
    return switch (value) {
      case List<?> list -> list;
      case Map<?, ?> map -> new ArrayList<@Nullable Object>(map.keySet());
      case String text -> text.codePoints().mapToObj(Character::toString).toList();
      case Undefined missing -> List.of();
      case null, default ->
          throw new Fault("'%s' object is not iterable".formatted(Values.typeName(value)));
    };
  }

  static @Nullable Object binary(
      String operator, @Nullable Object a, @Nullable Object b, Rendering rendering) {
    if (a instanceof Undefined missing) {
      throw missing.fault();
    }
    if (b instanceof Undefined missing && !operator.equals("%")) {
      throw missing.fault();
    }
    if (isNumber(a) && isNumber(b)) {
      return a instanceof Double || b instanceof Double || operator.equals("/")
          ? real(operator, real(a), real(b))
          : integer(operator, Values.integer(a), Values.integer(b));
    }
    if (operator.equals("+")) {
      if (a instanceof String x && b instanceof String y) {
        return rendering.handled(x.concat(y));
      }
      if (a instanceof List<?> x && b instanceof List<?> y && isTuple(x) == isTuple(y)) {
        rendering.spend(x.size() + y.size());
        List<@Nullable Object> joined = new ArrayList<>(x);
        joined.addAll(y);
        return isTuple(x) ? Sequence.tuple(joined) : joined;
      }
    }
    if (operator.equals("*")) {
      if (isInteger(b) && (a instanceof String || a instanceof List<?>)) {
        return repeated(a, Values.integer(b), rendering);
      }
      if (isInteger(a) && (b instanceof String || b instanceof List<?>)) {
        return repeated(b, Values.integer(a), rendering);
      }
    }
    if (operator.equals("%") && a instanceof String format) {
      return TextForm.percent(
          format, b instanceof Sequence tuple && isTuple(tuple) ? tuple : singleton(b), rendering);
    }
    throw unsupported(operator, a, b);
  }

  private static List<@Nullable Object> singleton(@Nullable Object value) {
    List<@Nullable Object> one = new ArrayList<>();
    one.add(value);
    return one;
  }

  private static Object repeated(Object value, long times, Rendering rendering) {
    int count = Math.clamp(times, 0, Integer.MAX_VALUE);
    if (value instanceof String text) {
      rendering.spend((long) text.length() * count / 4);
      return text.repeat(count);
    }
    List<?> list = (List<?>) value;
    rendering.spend((long) list.size() * count);
    List<@Nullable Object> all = new ArrayList<>();
    for (int i = 0; i < count && !list.isEmpty(); i++) {
      all.addAll(list);
    }
    return isTuple(list) ? Sequence.tuple(all) : all;
  }

  private static Object integer(String operator, long a, long b) {
    try {
      return switch (operator) {
        case "+" -> Math.addExact(a, b);
        case "-" -> Math.subtractExact(a, b);
        case "*" -> Math.multiplyExact(a, b);
        case "//" -> Math.floorDiv(a, nonZero(b));
        case "%" -> Math.floorMod(a, nonZero(b));
        case "**" -> b < 0 ? (Object) Math.pow((double) a, (double) b) : (Object) power(a, b);
        default -> throw new IllegalArgumentException(operator);
      };
    } catch (ArithmeticException overflow) {
      throw new Fault("%d %s %d is too large a number".formatted(a, operator, b));
    }
  }

  private static long power(long base, long exponent) {
    if (base == 0 || base == 1) {
      return exponent == 0 ? 1 : base;
    }
    if (base == -1) {
      return exponent % 2 == 0 ? 1 : -1;
    }
    long result = 1;
    for (long i = 0; i < exponent; i++) {
      result = Math.multiplyExact(result, base);
    }
    return result;
  }

  private static long nonZero(long divisor) {
    if (divisor == 0) {
      throw new Fault("division by zero");
    }
    return divisor;
  }

  private static Object real(String operator, double a, double b) {
    if (b == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
      throw new Fault("division by zero");
    }
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> Math.floor(a / b);
      case "%" -> a - Math.floor(a / b) * b;
      case "**" -> Math.pow(a, b);
      default -> throw new IllegalArgumentException(operator);
    };
  }

  static Object signed(boolean negative, @Nullable Object value) {
    if (value instanceof Double number) {
      return negative ? -number : number;
    }
    if (value instanceof Undefined || isInteger(value)) {
      long number = Values.integer(value);
      return negative ? -number : number;
    }
    throw new Fault("a %s has no sign".formatted(Values.typeName(value)));
  }

  static boolean isInteger(@Nullable Object value) {
    return value instanceof Long || value instanceof Boolean;
  }

  static boolean isNumber(@Nullable Object value) {
    return isInteger(value) || value instanceof Double;
  }

  static double real(@Nullable Object number) {
    return number instanceof Double real ? real : Values.integer(number);
  }

  static boolean isTuple(List<?> list) {
    return list instanceof Sequence sequence && sequence.kind() == Sequence.Kind.TUPLE;
  }

  private static Fault unsupported(String operator, @Nullable Object a, @Nullable Object b) {
    return a instanceof Undefined missing
        ? missing.fault()
        : b instanceof Undefined missing
            ? missing.fault()
            : new Fault(
                "'%s' is not supported between '%s' and '%s'"
                    .formatted(operator, Values.typeName(a), Values.typeName(b)));
  }

  /** Never fails but on an undefined value: what is not there is undefined. */
  static @Nullable Object attribute(@Nullable Object target, String name) {
    if (target instanceof Undefined missing) {
      throw missing.fault();
    }
    if (target instanceof Attributed attributed) {
      return attributed.attribute(name);
    }
    Invocable method = Methods.bound(target, name);
    if (method != null) {
      return method;
    }
    return target instanceof Map<?, ?> map && map.containsKey(name)
        ? map.get(name)
        : absent(target, "attribute '" + name + "'");
  }

  static @Nullable Object item(@Nullable Object target, @Nullable Object key) {
    if (target instanceof Undefined missing) {
      throw missing.fault();
    }
    if (isInteger(key) && (target instanceof List<?> || target instanceof String)) {
      long position = Values.integer(key);
      if (target instanceof List<?> list) {
        long index = position < 0 ? position + list.size() : position;
        return index >= 0 && index < list.size()
            ? list.get((int) index)
            : absent(target, "element " + position);
      }
      String text = (String) target;
      int size = text.codePointCount(0, text.length());
      long index = position < 0 ? position + size : position;
      return index >= 0 && index < size
          ? Character.toString(text.codePointAt(text.offsetByCodePoints(0, (int) index)))
          : absent(target, "element " + position);
    }
    if (target instanceof Map<?, ?> map && map.containsKey(Values.key(key))) {
      return map.get(Values.key(key));
    }
    return key instanceof String name
        ? attribute(target, name)
        : absent(target, "element of type " + Values.typeName(key));
  }

  private static Undefined absent(@Nullable Object target, String what) {
    return new Undefined("'%s' has no %s".formatted(Values.typeName(target), what));
  }

  static Object slice(
      @Nullable Object target,
      @Nullable Object from,
      @Nullable Object to,
      @Nullable Object by,
      Rendering rendering) {
    rendering.handled(target);
    if (target instanceof Undefined missing) {
      throw missing.fault();
    }
    if (!(target instanceof String) && !(target instanceof List<?>)) {
      throw new Fault("a %s cannot be sliced".formatted(Values.typeName(target)));
    }
    List<?> all = target instanceof List<?> list ? list : elements(target, rendering);
    long step = by == null ? 1 : Values.integer(by);
    if (step == 0) {
      throw new Fault("the step of a slice is 0");
    }
    int size = all.size();
    long first = bound(from, step < 0 ? size - 1 : 0, size, step < 0);
    long last = bound(to, step < 0 ? -1 : size, size, step < 0);
    List<@Nullable Object> part = new ArrayList<>();
    for (long i = first; step > 0 ? i < last : i > last; i += step) {
      part.add(all.get((int) i));
      if (Math.abs(step) > size) {
        break;
      }
    }
    if (target instanceof String) {
      StringBuilder text = new StringBuilder();
      part.forEach(text::append);
      return text.toString();
    }
    return isTuple(all) ? Sequence.tuple(part) : part;
  }

  private static long bound(@Nullable Object given, int otherwise, int size, boolean backwards) {
    if (given == null) {
      return otherwise;
    }
    long position = Values.integer(given);
    return Math.clamp(
        position < 0 ? position + size : position, backwards ? -1 : 0, backwards ? size - 1 : size);
  }
}
