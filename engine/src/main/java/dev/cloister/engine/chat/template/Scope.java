package dev.cloister.engine.chat.template;

import dev.cloister.engine.chat.template.TemplateException.Fault;
import java.time.Clock;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The names a piece of template sees: its own, then those around it. A loop's body, a macro, {@code
 * with} and the like have one each; {@code if} has none. Confined to a thread.
 */
final class Scope {

  private final @Nullable Scope around;
  private final Rendering rendering;
  private @Nullable Map<String, @Nullable Object> names;

  private Scope(@Nullable Scope around, Rendering rendering) {
    this.around = around;
    this.rendering = rendering;
  }

  static Scope root(Rendering rendering, Map<String, ? extends @Nullable Object> variables) {
    Scope root = new Scope(null, rendering);
    root.names = new HashMap<>(variables);
    return root;
  }

  Scope inner() {
    return new Scope(this, rendering);
  }

  Rendering rendering() {
    return rendering;
  }

  @Nullable Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.around) {
      Map<String, @Nullable Object> own = scope.names;
      if (own != null) {
        Object value = own.get(name);
        if (value != null || own.containsKey(name)) {
          return value;
        }
      }
    }
    return Builtins.global(name);
  }

  void set(String name, @Nullable Object value) {
    if (names == null) {
      names = new HashMap<>();
    }
    names.put(name, value);
  }

  @Nullable Object value(Expression expression) {
    rendering.enter();
    Object value = expression.evaluate(this);
    rendering.leave();
    return value;
  }

  List<@Nullable Object> values(List<Expression> expressions) {
    List<@Nullable Object> values = new ArrayList<>(expressions.size());
    for (Expression expression : expressions) {
      values.add(value(expression));
    }
    return values;
  }

  /**
   * One run of a template: where it is, and how much it may still do. Work is counted in steps, one
   * for each expression, statement and element handled and for each four characters read or made,
   * so that neither time nor memory grows beyond what the longest conversation needs; depth, so
   * that the stack does not overflow. Confined to a thread.
   */
  static final class Rendering {

    private static final int MAX_WORK = 10_000_000;
    private static final int MAX_DEPTH = 1000;

    private final Clock clock;
    private long work;
    private int depth;
    private int line = 1;

    Rendering(Clock clock) {
      this.clock = clock;
    }

    int line() {
      return line;
    }

    /** The statement on this line begins. */
    void at(int statementLine) {
      line = statementLine;
      spend(1);
    }

    void spend(long steps) {
      work += steps;
      if (work > MAX_WORK) {
        throw new Fault("it did not end within %d steps".formatted(MAX_WORK));
      }
    }

    /** Pays for reading or making the value once, without what is nested in it. */
    <T extends @Nullable Object> T handled(T value) {
      if (value instanceof String text) {
        spend(1 + text.length() / 4);
      } else if (value instanceof Collection<?> elements) {
        spend(1 + elements.size());
      } else if (value instanceof Map<?, ?> entries) {
        spend(1 + entries.size());
      }
      return value;
    }

    /** Something that may nest begins, and ends with {@link #leave} unless it fails. */
    void enter() {
      spend(1);
      if (++depth > MAX_DEPTH) {
        throw new Fault("it is nested more than %d deep".formatted(MAX_DEPTH));
      }
    }

    void leave() {
      depth--;
    }

    ZonedDateTime now() {
      return ZonedDateTime.now(clock);
    }
  }
}
