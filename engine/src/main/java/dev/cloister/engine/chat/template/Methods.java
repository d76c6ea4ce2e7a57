package dev.cloister.engine.chat.template;

import dev.cloister.engine.chat.template.Scope.Rendering;
import dev.cloister.engine.chat.template.TemplateException.Fault;
import dev.cloister.engine.chat.template.Values.Arguments;
import dev.cloister.engine.chat.template.Values.Invocable;
import dev.cloister.engine.chat.template.Values.Sequence;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * What {@code value.name}, {@code value[key]} and {@code value[from:to:step]} mean, and Python's
 * methods of strings, lists and dicts that change nothing. Positions count characters, not Java's
 * UTF-16 units.
 */
final class Methods {

  private static final Set<String> OF_TEXT =
      Set.of(
          ("strip lstrip rstrip upper lower title capitalize swapcase startswith endswith split"
               + " rsplit splitlines join find rfind index count replace partition rpartition"
               + " removeprefix removesuffix isdigit isalpha isalnum isspace isupper islower zfill"
               + " format")
              .split(" "));
  private static final Set<String> OF_DICT = Set.of("items", "keys", "values", "get", "copy");
  private static final Set<String> OF_LIST = Set.of("index", "count");

  private Methods() {}

  private record Bound(Object target, String name) implements Invocable {
    @Override
    public @Nullable Object invoke(Rendering rendering, Arguments arguments) {
      rendering.handled(target);
      return rendering.handled(
          switch (target) {
            case String text -> Methods.text(text, name, arguments, rendering);
            case Map<?, ?> map -> Methods.dict(map, name, arguments);
            default -> Methods.list((List<?>) target, name, arguments, rendering);
          });
    }
  }

  /** The method of the name, or null if the value has none. */
  static @Nullable Invocable bound(@Nullable Object target, String name) {
    boolean has =
        switch (target) {
          case String text -> OF_TEXT.contains(name);
          case Map<?, ?> map -> OF_DICT.contains(name);
          case List<?> list -> OF_LIST.contains(name);
          case null, default -> false;
        };
    return has && target != null ? new Bound(target, name) : null;
  }

  private static @Nullable Object dict(Map<?, ?> map, String name, Arguments arguments) {
    return switch (name) {
      case "keys" ->
          new Sequence(
              Sequence.Kind.KEYS, "dict_keys", new ArrayList<@Nullable Object>(map.keySet()));
      case "values" ->
          new Sequence(
              Sequence.Kind.VALUES, "dict_values", new ArrayList<@Nullable Object>(map.values()));
      case "items" -> new Sequence(Sequence.Kind.ITEMS, "dict_items", items(map));
      case "copy" -> map;
      default -> {
        Object key = Values.key(arguments.require(0, "key"));
        yield map.containsKey(key) ? map.get(key) : arguments.get(1, "default", null);
      }
    };
  }

  static List<@Nullable Object> items(Map<?, ?> map) {
    List<@Nullable Object> items = new ArrayList<>();
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      List<@Nullable Object> pair = new ArrayList<>(2);
      Collections.addAll(pair, entry.getKey(), entry.getValue());
      items.add(Sequence.tuple(pair));
    }
    return items;
  }

  private static Object list(List<?> list, String name, Arguments arguments, Rendering rendering) {
    Object wanted = arguments.require(0, "value");
    long count = 0;
    for (int i = 0; i < list.size(); i++) {
      if (Operators.equal(list.get(i), wanted, rendering)) {
        if (name.equals("index")) {
          return (long) i;
        }
        count++;
      }
    }
    if (name.equals("index")) {
      throw new Fault("the list does not hold the value asked for");
    }
    return count;
  }

  private static Object text(String text, String name, Arguments arguments, Rendering rendering) {
    return switch (name) {
      case "strip" -> stripped(text, arguments, true, true);
      case "lstrip" -> stripped(text, arguments, true, false);
      case "rstrip" -> stripped(text, arguments, false, true);
      case "upper" -> text.toUpperCase(Locale.ROOT);
      case "lower" -> text.toLowerCase(Locale.ROOT);
      case "title" -> titled(text, c -> !Character.isLetter(c));
      case "capitalize" -> capitalized(text);
      case "swapcase" -> swapped(text);
      case "startswith" -> affix(text, arguments, true);
      case "endswith" -> affix(text, arguments, false);
      case "split" -> split(text, arguments, false);
      case "rsplit" -> split(text, arguments, true);
      case "splitlines" -> lines(text);
      case "partition" -> partition(text, arguments.text(0, "sep"), false);
      case "rpartition" -> partition(text, arguments.text(0, "sep"), true);
      case "join" ->
          join(Operators.elements(arguments.require(0, "iterable"), rendering), text, rendering);
      case "find" -> position(text, text.indexOf(arguments.text(0, "sub")));
      case "rfind" -> position(text, text.lastIndexOf(arguments.text(0, "sub")));
      case "index" -> {
        long position = position(text, text.indexOf(arguments.text(0, "sub")));
        if (position < 0) {
          throw new Fault("substring not found");
        }
        yield position;
      }
      case "count" -> count(text, arguments.text(0, "sub"));
      case "replace" ->
          replace(
              text,
              arguments.text(0, "old"),
              arguments.text(1, "new"),
              arguments.integer(2, "count", -1),
              rendering);
      case "removeprefix" -> {
        String prefix = arguments.text(0, "prefix");
        yield text.startsWith(prefix) ? text.substring(prefix.length()) : text;
      }
      case "removesuffix" -> {
        String suffix = arguments.text(0, "suffix");
        yield text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
      }
      case "isdigit" -> all(text, Character::isDigit);
      case "isalpha" -> all(text, Character::isLetter);
      case "isalnum" -> all(text, Character::isLetterOrDigit);
      case "isspace" -> all(text, Methods::isSpace);
      case "isupper" -> isUpper(text);
      case "islower" -> isLower(text);
      case "zfill" -> {
        int width = Math.clamp(arguments.integer(0, "width", 0), 0, 1000);
        int sign = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
        yield text.substring(0, sign)
            + "0".repeat(Math.max(0, width - text.length()))
            + text.substring(sign);
      }
      default -> TextForm.braces(text, arguments, rendering);
    };
  }

  private static String stripped(String text, Arguments arguments, boolean left, boolean right) {
    return strip(text, arguments.get(0, "chars", null), left, right);
  }

  /** Takes away white space, or the characters given. */
  static String strip(String text, @Nullable Object characters, boolean left, boolean right) {
    IntPredicate goes =
        characters instanceof String set ? c -> set.indexOf(c) >= 0 : Methods::isSpace;
    int begin = 0;
    int end = text.length();
    while (left && begin < end && goes.test(text.codePointAt(begin))) {
      begin += Character.charCount(text.codePointAt(begin));
    }
    while (right && end > begin && goes.test(text.codePointBefore(end))) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(begin, end);
  }

  /** What Python takes for white space: more than Java's definition, the no-break space for one. */
  static boolean isSpace(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }

  static String capitalized(String text) {
    int first = text.isEmpty() ? 0 : Character.charCount(text.codePointAt(0));
    return text.substring(0, first).toUpperCase(Locale.ROOT)
        + text.substring(first).toLowerCase(Locale.ROOT);
  }

  /** Upper case after each character of the kind given, lower case elsewhere. */
  static String titled(String text, IntPredicate between) {
    StringBuilder titled = new StringBuilder();
    boolean begins = true;
    for (int c : text.codePoints().toArray()) {
      titled.appendCodePoint(begins ? Character.toTitleCase(c) : Character.toLowerCase(c));
      begins = between.test(c);
    }
    return titled.toString();
  }

  private static String swapped(String text) {
    StringBuilder swapped = new StringBuilder();
    text.codePoints()
        .map(c -> Character.isUpperCase(c) ? Character.toLowerCase(c) : Character.toUpperCase(c))
        .forEach(swapped::appendCodePoint);
    return swapped.toString();
  }

  private static boolean affix(String text, Arguments arguments, boolean start) {
    Object affix = arguments.require(0, start ? "prefix" : "suffix");
    for (Object one :
        affix instanceof Sequence several ? several : List.of(arguments.text(0, ""))) {
      if (one instanceof String part && (start ? text.startsWith(part) : text.endsWith(part))) {
        return true;
      }
    }
    return false;
  }

  static String join(List<?> elements, String separator, Rendering rendering) {
    rendering.spend((long) separator.length() * elements.size() / 4);
    StringBuilder joined = new StringBuilder();
    String before = "";
    for (Object element : elements) {
      joined.append(before).append(TextForm.string(element, rendering));
      before = separator;
    }
    return joined.toString();
  }

  private static long position(String text, int index) {
    return index < 0 ? -1 : text.codePointCount(0, index);
  }

  private static long count(String text, String part) {
    if (part.isEmpty()) {
      return text.codePointCount(0, text.length()) + 1L;
    }
    long count = 0;
    for (int i = text.indexOf(part); i >= 0; i = text.indexOf(part, i + part.length())) {
      count++;
    }
    return count;
  }

  static String replace(String text, String old, String with, long count, Rendering rendering) {
    rendering.spend(count(text, old) * (with.length() + 1L) / 4);
    if (count < 0) {
      return text.replace(old, with);
    }
    StringBuilder replaced = new StringBuilder();
    int done = 0;
    long left = count;
    for (int i = text.indexOf(old); i >= 0 && left > 0 && !old.isEmpty(); left--) {
      replaced.append(text, done, i).append(with);
      done = i + old.length();
      i = text.indexOf(old, done);
    }
    return replaced.append(text, done, text.length()).toString();
  }

  private static boolean all(String text, IntPredicate kind) {
    return !text.isEmpty() && text.codePoints().allMatch(kind);
  }

  static boolean isUpper(String text) {
    return text.codePoints().anyMatch(Character::isUpperCase)
        && text.codePoints().noneMatch(Character::isLowerCase);
  }

  static boolean isLower(String text) {
    return text.codePoints().anyMatch(Character::isLowerCase)
        && text.codePoints().noneMatch(Character::isUpperCase);
  }

  static List<@Nullable Object> split(String text, Arguments arguments, boolean fromRight) {
    Object separator = arguments.get(0, "sep", null);
    long most = arguments.integer(1, "maxsplit", -1);
    long splits = most < 0 ? Long.MAX_VALUE : most;
    List<@Nullable Object> parts;
    if (separator == null) {
      parts = words(text, splits, fromRight);
    } else {
      String between = arguments.text(0, "sep");
      if (between.isEmpty()) {
        throw new Fault("the separator to split at is empty");
      }
      parts = fromRight ? backwards(text, between, splits) : forwards(text, between, splits);
    }
    return parts;
  }

  static List<@Nullable Object> forwards(String text, String separator, long splits) {
    List<@Nullable Object> parts = new ArrayList<>();
    int begin = 0;
    for (int i = text.indexOf(separator); i >= 0 && parts.size() < splits; ) {
      parts.add(text.substring(begin, i));
      begin = i + separator.length();
      i = text.indexOf(separator, begin);
    }
    parts.add(text.substring(begin));
    return parts;
  }

  private static List<@Nullable Object> backwards(String text, String separator, long splits) {
    List<@Nullable Object> parts = new ArrayList<>();
    int end = text.length();
    while (parts.size() < splits) {
      int i = text.lastIndexOf(separator, end - separator.length());
      if (i < 0) {
        break;
      }
      parts.add(text.substring(i + separator.length(), end));
      end = i;
    }
    parts.add(text.substring(0, end));
    Collections.reverse(parts);
    return parts;
  }

  private static List<@Nullable Object> words(String text, long splits, boolean fromRight) {
    List<@Nullable Object> words = new ArrayList<>();
    String rest = strip(text, null, true, true);
    while (!rest.isEmpty()) {
      int cut = words.size() < splits ? space(rest, fromRight) : -1;
      if (cut < 0) {
        words.add(rest);
        break;
      }
      words.add(fromRight ? rest.substring(cut + 1) : rest.substring(0, cut));
      rest =
          fromRight
              ? strip(rest.substring(0, cut), null, false, true)
              : strip(rest.substring(cut), null, true, false);
    }
    if (fromRight) {
      Collections.reverse(words);
    }
    return words;
  }

  private static int space(String text, boolean last) {
    for (int i = 0; i < text.length(); i++) {
      int at = last ? text.length() - 1 - i : i;
      if (isSpace(text.charAt(at))) {
        return at;
      }
    }
    return -1;
  }

  static List<@Nullable Object> lines(String text) {
    List<@Nullable Object> lines = new ArrayList<>();
    int begin = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ("\n\r\u000b\f\u001c\u001d\u001e\u0085\u2028\u2029".indexOf(c) >= 0) {
        lines.add(text.substring(begin, i));
        if (c == '\r' && text.startsWith("\n", i + 1)) {
          i++;
        }
        begin = i + 1;
      }
    }
    if (begin < text.length()) {
      lines.add(text.substring(begin));
    }
    return lines;
  }

  static Sequence partition(String text, String separator, boolean last) {
    int i = last ? text.lastIndexOf(separator) : text.indexOf(separator);
    return Sequence.tuple(
        i >= 0
            ? List.of(text.substring(0, i), separator, text.substring(i + separator.length()))
            : last ? List.of("", "", text) : List.of(text, "", ""));
  }
}
