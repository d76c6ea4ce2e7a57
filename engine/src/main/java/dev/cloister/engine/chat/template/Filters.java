package dev.cloister.engine.chat.template;

import dev.cloister.engine.chat.template.Scope.Rendering;
import dev.cloister.engine.chat.template.TemplateException.Fault;
import dev.cloister.engine.chat.template.Values.Arguments;
import dev.cloister.engine.chat.template.Values.Sequence;
import dev.cloister.engine.chat.template.Values.Undefined;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** jinja2's filters, as far as chat templates use them. */
final class Filters {

  private Filters() {}

  /** {@code value | name(arguments)}. */
  static @Nullable Object apply(
      String name, @Nullable Object value, Arguments arguments, Rendering rendering) {
    rendering.handled(value);
    return rendering.handled(filtered(name, value, arguments, rendering));
  }

  private static @Nullable Object filtered(
      String name, @Nullable Object value, Arguments arguments, Rendering rendering) {
    return switch (name) {
      case "tojson" -> TextForm.json(value, arguments, rendering);
      case "trim" ->
          Methods.strip(
              TextForm.string(value, rendering), arguments.get(0, "chars", null), true, true);
      case "length", "count" -> length(value);
      case "default", "d" -> {
        boolean absent =
            value instanceof Undefined || (arguments.flag(1, "boolean") && !Operators.truth(value));
        yield absent ? arguments.get(0, "default_value", "") : value;
      }
      case "string", "safe" -> TextForm.string(value, rendering);
      case "upper" -> TextForm.string(value, rendering).toUpperCase(Locale.ROOT);
      case "lower" -> TextForm.string(value, rendering).toLowerCase(Locale.ROOT);
      case "capitalize" -> Methods.capitalized(TextForm.string(value, rendering));
      case "title" ->
          Methods.titled(
              TextForm.string(value, rendering),
              c -> c == '-' || "({[<".indexOf(c) >= 0 || Methods.isSpace(c));
      case "escape", "e" -> escaped(TextForm.string(value, rendering));
      case "replace" ->
          Methods.replace(
              TextForm.string(value, rendering),
              arguments.text(0, "old"),
              arguments.text(1, "new"),
              arguments.get(2, "count", null) == null ? -1 : arguments.integer(2, "count", -1),
              rendering);
      case "indent" -> indented(TextForm.string(value, rendering), arguments, rendering);
      case "format" ->
          TextForm.percent(TextForm.string(value, rendering), arguments.positional(), rendering);
      case "int" -> integer(value, arguments);
      case "float" -> real(value, arguments);
      case "round" -> rounded(value, arguments);
      case "abs" ->
          value instanceof Double number
              ? Math.abs(number)
              : (Object) Math.abs(Values.integer(value));
      case "list" -> new ArrayList<@Nullable Object>(Operators.elements(value, rendering));
      case "items" ->
          value instanceof Undefined
              ? Sequence.generator(List.of())
              : Sequence.generator(Methods.items(mapping(value)));
      case "dictsort" -> dictsorted(mapping(value), arguments, rendering);
      case "first" -> edge(Operators.elements(value, rendering), true);
      case "last" -> edge(Operators.elements(value, rendering), false);
      case "join" ->
          Methods.join(
              picked(Operators.elements(value, rendering), arguments.get(1, "attribute", null)),
              TextForm.string(arguments.get(0, "d", ""), rendering),
              rendering);
      case "reverse" -> reversed(value, rendering);
      case "sort" -> sorted(value, arguments, rendering);
      case "unique" -> unique(value, arguments, rendering);
      case "min" -> extreme(value, arguments, rendering, true);
      case "max" -> extreme(value, arguments, rendering, false);
      case "sum" -> sum(value, arguments, rendering);
      case "map" -> mapped(value, arguments, rendering);
      case "select" -> selected(value, null, arguments, true, rendering);
      case "reject" -> selected(value, null, arguments, false, rendering);
      case "selectattr", "rejectattr" ->
          selected(
              value,
              arguments.require(0, "attribute"),
              arguments.rest(1),
              name.startsWith("select"),
              rendering);
      default -> throw new Fault("there is no filter named '%s'".formatted(name));
    };
  }

  private static long length(@Nullable Object value) {
    return switch (value) {
      case String text -> text.codePointCount(0, text.length());
      case Sequence view when view.kind() == Sequence.Kind.GENERATOR ->
          throw new Fault("object of type 'generator' has no length");
      case List<?> list -> list.size();
      case Map<?, ?> map -> map.size();
      case Undefined missing -> 0;
      case null, default ->
          throw new Fault("object of type '%s' has no length".formatted(Values.typeName(value)));
    };
  }

  private static Map<?, ?> mapping(@Nullable Object value) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw value instanceof Undefined missing
        ? missing.fault()
        : new Fault("'%s' object is no dict".formatted(Values.typeName(value)));
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("'", "&#39;")
        .replace("\"", "&#34;");
  }

  private static String indented(String text, Arguments arguments, Rendering rendering) {
    Object width = arguments.get(0, "width", 4L);
    String margin =
        width instanceof String given
            ? given
            : " ".repeat(Math.clamp(Values.integer(width), 0, 1000));
    boolean first = arguments.flag(1, "first");
    boolean blank = arguments.flag(2, "blank");
    List<@Nullable Object> lines = Methods.lines(text + "\n");
    rendering.spend((long) lines.size() * margin.length() / 4);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < lines.size(); i++) {
      String line = (String) lines.get(i);
      boolean moves = i == 0 ? first : blank || !line.isEmpty();
      out.append(i == 0 ? "" : "\n").append(moves ? margin : "").append(line);
    }
    return out.toString();
  }

  private static @Nullable Object integer(@Nullable Object value, Arguments arguments) {
    Object otherwise = arguments.get(0, "default", 0L);
    try {
      return switch (value) {
        case Double number when number.isNaN() || number.isInfinite() -> otherwise;
        case Double number -> (long) (double) number;
        case String text -> {
          String plain = Methods.strip(text, null, true, true);
          int base = (int) arguments.integer(1, "base", 10);
          yield plain.indexOf('.') >= 0
              ? (Object) (long) Double.parseDouble(plain)
              : (Object) Long.parseLong(plain, base);
        }
        case null -> otherwise;
        case List<?> list -> otherwise;
        case Map<?, ?> map -> otherwise;
        default -> Values.integer(value);
      };
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  private static @Nullable Object real(@Nullable Object value, Arguments arguments) {
    Object otherwise = arguments.get(0, "default", 0.0);
    try {
      return switch (value) {
        case String text -> Double.parseDouble(text);
        case null -> otherwise;
        case List<?> list -> otherwise;
        case Map<?, ?> map -> otherwise;
        default -> Operators.real(value);
      };
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  private static Object rounded(@Nullable Object value, Arguments arguments) {
    int precision = Math.clamp(arguments.integer(0, "precision", 0), -30, 30);
    RoundingMode mode =
        switch (arguments.text(1, "method", "common")) {
          case "common" -> RoundingMode.HALF_EVEN;
          case "ceil" -> RoundingMode.CEILING;
          case "floor" -> RoundingMode.FLOOR;
          default -> throw new Fault("round knows the methods common, ceil and floor");
        };
    if (value != null && Operators.isInteger(value) && mode == RoundingMode.HALF_EVEN) {
      return value;
    }
    return new BigDecimal(Operators.real(value)).setScale(precision, mode).doubleValue();
  }

  private static Object dictsorted(Map<?, ?> map, Arguments arguments, Rendering rendering) {
    boolean byValue = arguments.text(1, "by", "key").equals("value");
    List<@Nullable Object> items = Methods.items(map);
    Comparator<@Nullable Object> order =
        (a, b) ->
            Operators.compare(
                folded(Operators.item(a, byValue ? 1L : 0L), arguments.flag(0, "case_sensitive")),
                folded(Operators.item(b, byValue ? 1L : 0L), arguments.flag(0, "case_sensitive")),
                "<",
                rendering);
    items.sort(arguments.flag(2, "reverse") ? order.reversed() : order);
    return items;
  }

  private static @Nullable Object edge(List<? extends @Nullable Object> elements, boolean first) {
    return elements.isEmpty()
        ? new Undefined("there is no %s element".formatted(first ? "first" : "last"))
        : elements.get(first ? 0 : elements.size() - 1);
  }

  private static Object reversed(@Nullable Object value, Rendering rendering) {
    if (value instanceof String text) {
      return new StringBuilder(text).reverse().toString();
    }
    List<@Nullable Object> elements = new ArrayList<>(Operators.elements(value, rendering));
    Collections.reverse(elements);
    return Sequence.generator(elements);
  }

  /** The attribute of each element; dots in its name lead further in. */
  private static List<@Nullable Object> picked(
      List<? extends @Nullable Object> elements, @Nullable Object attribute) {
    List<@Nullable Object> picked = new ArrayList<>(elements.size());
    for (Object element : elements) {
      picked.add(attribute == null ? element : pick(element, attribute));
    }
    return picked;
  }

  private static @Nullable Object pick(@Nullable Object element, Object attribute) {
    if (!(attribute instanceof String path)) {
      return Operators.item(element, attribute);
    }
    Object value = element;
    for (Object name : Methods.forwards(path, ".", Long.MAX_VALUE)) {
      String part = String.valueOf(name);
      boolean number = !part.isEmpty() && part.chars().allMatch(Character::isDigit);
      value = Operators.item(value, number ? (Object) Values.parse(part) : part);
    }
    return value;
  }

  private static @Nullable Object folded(@Nullable Object value, boolean caseSensitive) {
    return value instanceof String text && !caseSensitive ? text.toLowerCase(Locale.ROOT) : value;
  }

  /** Orders by what jinja2 compares: an attribute if one is named, without regard to case. */
  private static Comparator<@Nullable Object> order(
      @Nullable Object attribute, boolean caseSensitive, Rendering rendering) {
    return (a, b) ->
        Operators.compare(
            folded(attribute == null ? a : pick(a, attribute), caseSensitive),
            folded(attribute == null ? b : pick(b, attribute), caseSensitive),
            "<",
            rendering);
  }

  private static Object sorted(@Nullable Object value, Arguments arguments, Rendering rendering) {
    List<@Nullable Object> elements = new ArrayList<>(Operators.elements(value, rendering));
    Comparator<@Nullable Object> order =
        order(arguments.get(2, "attribute", null), arguments.flag(1, "case_sensitive"), rendering);
    elements.sort(arguments.flag(0, "reverse") ? order.reversed() : order);
    return elements;
  }

  private static @Nullable Object extreme(
      @Nullable Object value, Arguments arguments, Rendering rendering, boolean least) {
    List<@Nullable Object> elements = new ArrayList<>(Operators.elements(value, rendering));
    if (elements.isEmpty()) {
      return new Undefined("no element to choose from");
    }
    Comparator<@Nullable Object> order =
        order(arguments.get(1, "attribute", null), arguments.flag(0, "case_sensitive"), rendering);
    return least ? Collections.min(elements, order) : Collections.max(elements, order);
  }

  private static Object unique(@Nullable Object value, Arguments arguments, Rendering rendering) {
    List<@Nullable Object> kept = new ArrayList<>();
    List<@Nullable Object> seen = new ArrayList<>();
    Object attribute = arguments.get(1, "attribute", null);
    for (Object element : Operators.elements(value, rendering)) {
      Object key =
          folded(
              attribute == null ? element : pick(element, attribute),
              arguments.flag(0, "case_sensitive"));
      if (!Operators.contains(seen, key, rendering)) {
        seen.add(key);
        kept.add(element);
      }
    }
    return Sequence.generator(kept);
  }

  private static @Nullable Object sum(
      @Nullable Object value, Arguments arguments, Rendering rendering) {
    Object sum = arguments.get(1, "start", 0L);
    for (Object element :
        picked(Operators.elements(value, rendering), arguments.get(0, "attribute", null))) {
      sum = Operators.binary("+", sum, element, rendering);
    }
    return sum;
  }

  private static Object mapped(@Nullable Object value, Arguments arguments, Rendering rendering) {
    List<@Nullable Object> mapped = new ArrayList<>();
    Object attribute = arguments.named().get("attribute");
    for (Object element : Operators.elements(value, rendering)) {
      if (attribute == null) {
        mapped.add(apply(arguments.text(0, "name"), element, arguments.rest(1), rendering));
      } else {
        Object picked = pick(element, attribute);
        mapped.add(
            picked instanceof Undefined
                ? arguments.named().getOrDefault("default", picked)
                : picked);
      }
    }
    return Sequence.generator(mapped);
  }

  /** Elements for which the test that the arguments name holds; without one, truth. */
  private static Object selected(
      @Nullable Object value,
      @Nullable Object attribute,
      Arguments arguments,
      boolean wanted,
      Rendering rendering) {
    Predicate<@Nullable Object> test =
        arguments.positional().isEmpty()
            ? Operators::truth
            : element ->
                Builtins.test(arguments.text(0, "test"), element, arguments.rest(1), rendering);
    List<@Nullable Object> selected = new ArrayList<>();
    for (Object element : Operators.elements(value, rendering)) {
      if (test.test(attribute == null ? element : pick(element, attribute)) == wanted) {
        selected.add(element);
      }
    }
    return Sequence.generator(selected);
  }
}
