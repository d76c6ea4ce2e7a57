package dev.cloister.engine.chat.template;

import dev.cloister.engine.chat.template.Scope.Rendering;
import dev.cloister.engine.chat.template.TemplateException.Fault;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The values templates handle that are neither null, Boolean, Long, Double, String, List nor Map.
 */
final class Values {

  private Values() {}

  /** What a missing name, key or attribute gives; most uses of it fail with the reason. */
  record Undefined(String reason) {

    Fault fault() {
      return new Fault(reason);
    }
  }

  /** Something to call. */
  interface Invocable {
    @Nullable Object invoke(Rendering rendering, Arguments arguments);
  }

  /** Something with attributes of its own. */
  interface Attributed {
    @Nullable Object attribute(String name);
  }

  /** What {@code namespace()} makes: the only value whose attributes templates may set. */
  static final class Namespace implements Attributed {

    private final Map<@Nullable Object, @Nullable Object> attributes;

    Namespace(Map<@Nullable Object, @Nullable Object> attributes) {
      this.attributes = attributes;
    }

    void set(String name, @Nullable Object value) {
      attributes.put(name, value);
    }

    @Override
    public @Nullable Object attribute(String name) {
      return attributes.containsKey(name)
          ? attributes.get(name)
          : new Undefined("the namespace has no attribute '%s'".formatted(name));
    }
  }

  /** Python's sequences other than lists. Immutable as long as its elements are not changed. */
  static final class Sequence extends AbstractList<@Nullable Object> {

    enum Kind {
      TUPLE,
      RANGE,
      KEYS,
      VALUES,
      ITEMS,
      GENERATOR
    }

    private final Kind kind;
    private final String shown;
    private final List<? extends @Nullable Object> elements;

    /**
     * @param shown how Python names it when it is printed
     */
    Sequence(Kind kind, String shown, List<? extends @Nullable Object> elements) {
      this.kind = kind;
      this.shown = shown;
      this.elements = elements;
    }

    static Sequence tuple(List<? extends @Nullable Object> elements) {
      return new Sequence(Kind.TUPLE, "tuple", elements);
    }

    static Sequence generator(List<? extends @Nullable Object> elements) {
      return new Sequence(Kind.GENERATOR, "generator", elements);
    }

    String shown() {
      return shown;
    }

    Kind kind() {
      return kind;
    }

    @Override
    public @Nullable Object get(int index) {
      return elements.get(index);
    }

    @Override
    public int size() {
      return elements.size();
    }
  }

  /** The arguments of a call, a filter or a test. */
  record Arguments(List<@Nullable Object> positional, Map<String, @Nullable Object> named) {

    static final Arguments NONE = new Arguments(List.of(), Map.of());

    boolean has(int index, String name) {
      return index < positional.size() || named.containsKey(name);
    }

    @Nullable Object get(int index, String name, @Nullable Object otherwise) {
      return index < positional.size()
          ? positional.get(index)
          : named.containsKey(name) ? named.get(name) : otherwise;
    }

    @Nullable Object require(int index, String name) {
      if (!has(index, name)) {
        throw new Fault("argument '%s' is missing".formatted(name));
      }
      return get(index, name, null);
    }

    String text(int index, String name) {
      return string(require(index, name), name);
    }

    String text(int index, String name, String otherwise) {
      return string(get(index, name, otherwise), name);
    }

    long integer(int index, String name, long otherwise) {
      return Values.integer(get(index, name, otherwise));
    }

    boolean flag(int index, String name) {
      return Operators.truth(get(index, name, false));
    }

    /** What is left for a filter or test that gets its own name first. */
    Arguments rest(int from) {
      int size = positional.size();
      return new Arguments(new ArrayList<>(positional.subList(Math.min(from, size), size)), named);
    }

    Arguments and(String name, Object value) {
      Map<String, @Nullable Object> more = new LinkedHashMap<>(named);
      more.put(name, value);
      return new Arguments(positional, more);
    }

    private static String string(@Nullable Object value, String name) {
      if (value instanceof String text) {
        return text;
      }
      throw new Fault("'%s' is a %s (expected: str)".formatted(name, typeName(value)));
    }
  }

  /** Python's name of the value's type, for error messages. */
  static String typeName(@Nullable Object value) {
    return switch (value) {
      case null -> "NoneType";
      case Boolean b -> "bool";
      case Long l -> "int";
      case Double d -> "float";
      case String s -> "str";
      case Sequence s when s.kind() == Sequence.Kind.TUPLE -> "tuple";
      case Sequence s -> s.kind() == Sequence.Kind.RANGE ? "range" : "view";
      case List<?> l -> "list";
      case Map<?, ?> m -> "dict";
      case Undefined u -> "Undefined";
      case Namespace n -> "Namespace";
      default -> "function";
    };
  }

  static long integer(@Nullable Object value) {
    return switch (value) {
      case Long number -> number;
      case Boolean truth -> truth ? 1 : 0;
      case Undefined missing -> throw missing.fault();
      case null, default -> throw new Fault("%s given (expected: int)".formatted(typeName(value)));
    };
  }

  /** A dictionary's key. Python takes any hashable value; templates use scalars. */
  static @Nullable Object key(@Nullable Object value) {
    return switch (value) {
      case null -> null;
      case String s -> s;
      case Long l -> l;
      case Boolean b -> b;
      case Double d -> d;
      default -> throw new Fault("a %s cannot be the key of a dict".formatted(typeName(value)));
    };
  }

  static long parse(String digits) {
    try {
      return Long.parseLong(digits);
    } catch (NumberFormatException e) {
      throw new Fault("%s is too large a number".formatted(digits));
    }
  }
}
