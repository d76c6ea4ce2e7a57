package dev.cloister.engine.chat.template;

import dev.cloister.engine.chat.template.Scope.Rendering;
import dev.cloister.engine.chat.template.TemplateException.Fault;
import dev.cloister.engine.chat.template.Values.Arguments;
import dev.cloister.engine.chat.template.Values.Invocable;
import dev.cloister.engine.chat.template.Values.Sequence;
import dev.cloister.engine.chat.template.Values.Undefined;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An expression of a template. Immutable; a part is evaluated with {@link Scope#value}. */
sealed interface Expression {

  /** Called by {@link Scope#value} only, which counts work and depth. */
  @Nullable Object evaluate(Scope scope);

  record Constant(@Nullable Object value) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      return value;
    }
  }

  record Name(String name) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      return scope.get(name);
    }
  }

  record Elements(List<Expression> elements, boolean tuple) implements Expression {
    @Override
    public Object evaluate(Scope scope) {
      List<@Nullable Object> values = scope.values(elements);
      return tuple ? Sequence.tuple(values) : values;
    }
  }

  record Dict(List<Expression> keys, List<Expression> values) implements Expression {
    @Override
    public Object evaluate(Scope scope) {
      Map<@Nullable Object, @Nullable Object> dict = new LinkedHashMap<>();
      for (int i = 0; i < keys.size(); i++) {
        dict.put(Values.key(scope.value(keys.get(i))), scope.value(values.get(i)));
      }
      return dict;
    }
  }

  record Attribute(Expression target, String name) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      return Operators.attribute(scope.value(target), name);
    }
  }

  record Item(Expression target, Expression key) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      return Operators.item(scope.value(target), scope.value(key));
    }
  }

  record Slice(
      Expression target,
      @Nullable Expression from,
      @Nullable Expression to,
      @Nullable Expression step)
      implements Expression {
    @Override
    public Object evaluate(Scope scope) {
      return Operators.slice(
          scope.value(target),
          from == null ? null : scope.value(from),
          to == null ? null : scope.value(to),
          step == null ? null : scope.value(step),
          scope.rendering());
    }
  }

  /** The arguments as they are written. */
  record ArgumentList(List<Expression> positional, Map<String, Expression> named) {

    static final ArgumentList NONE = new ArgumentList(List.of(), Map.of());

    Arguments evaluate(Scope scope) {
      if (positional.isEmpty() && named.isEmpty()) {
        return Arguments.NONE;
      }
      Map<String, @Nullable Object> values = new LinkedHashMap<>();
      named.forEach((name, expression) -> values.put(name, scope.value(expression)));
      return new Arguments(scope.values(positional), values);
    }
  }

  record Call(Expression target, ArgumentList arguments) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      return with(null, scope);
    }

    /** Calls a macro that may ask for its caller. */
    @Nullable Object with(@Nullable Invocable caller, Scope scope) {
      return switch (scope.value(target)) {
        case Undefined missing -> throw missing.fault();
        case Invocable function -> {
          Arguments values = arguments.evaluate(scope);
          yield function.invoke(
              scope.rendering(), caller == null ? values : values.and("caller", caller));
        }
        case null -> throw new Fault("'NoneType' object is not callable");
        case Object other ->
            throw new Fault("'%s' object is not callable".formatted(Values.typeName(other)));
      };
    }
  }

  record Filter(String name, Expression value, ArgumentList arguments) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      return Filters.apply(name, scope.value(value), arguments.evaluate(scope), scope.rendering());
    }
  }

  record Test(String name, Expression value, ArgumentList arguments) implements Expression {
    @Override
    public Object evaluate(Scope scope) {
      return Builtins.test(name, scope.value(value), arguments.evaluate(scope), scope.rendering());
    }
  }

  record Binary(String operator, Expression left, Expression right) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      return Operators.binary(operator, scope.value(left), scope.value(right), scope.rendering());
    }
  }

  record Sign(boolean negative, Expression operand) implements Expression {
    @Override
    public Object evaluate(Scope scope) {
      return Operators.signed(negative, scope.value(operand));
    }
  }

  /** {@code a ~ b ~ c}. */
  record Concatenation(List<Expression> parts) implements Expression {
    @Override
    public Object evaluate(Scope scope) {
      StringBuilder text = new StringBuilder();
      for (Expression part : parts) {
        text.append(TextForm.string(scope.value(part), scope.rendering()));
      }
      return text.toString();
    }
  }

  /** {@code a < b <= c}: one operator before each operand but the first. */
  record Comparison(List<String> operators, List<Expression> operands) implements Expression {
    @Override
    public Object evaluate(Scope scope) {
      Object left = scope.value(operands.getFirst());
      for (int i = 0; i < operators.size(); i++) {
        Object right = scope.value(operands.get(i + 1));
        if (!holds(operators.get(i), left, right, scope.rendering())) {
          return false;
        }
        left = right;
      }
      return true;
    }

    private static boolean holds(
        String operator, @Nullable Object left, @Nullable Object right, Rendering rendering) {
      return switch (operator) {
        case "==" -> Operators.equal(left, right, rendering);
        case "!=" -> !Operators.equal(left, right, rendering);
        case "in" -> Operators.contains(right, left, rendering);
        case "not in" -> !Operators.contains(right, left, rendering);
        case "<" -> Operators.compare(left, right, operator, rendering) < 0;
        case "<=" -> Operators.compare(left, right, operator, rendering) <= 0;
        case ">" -> Operators.compare(left, right, operator, rendering) > 0;
        default -> Operators.compare(left, right, operator, rendering) >= 0;
      };
    }
  }

  record Not(Expression operand) implements Expression {
    @Override
    public Object evaluate(Scope scope) {
      return !Operators.truth(scope.value(operand));
    }
  }

  /** {@code and} and {@code or}, which give one of their operands. */
  record Logic(boolean and, Expression left, Expression right) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      Object value = scope.value(left);
      return Operators.truth(value) == and ? scope.value(right) : value;
    }
  }

  record Conditional(Expression then, Expression condition, @Nullable Expression otherwise)
      implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      if (Operators.truth(scope.value(condition))) {
        return scope.value(then);
      }
      return otherwise == null
          ? new Undefined("an inline 'if' without 'else' was not met")
          : scope.value(otherwise);
    }
  }

  /** The expressions as a list that can hold more. */
  static List<Expression> listOf(Expression first) {
    List<Expression> list = new ArrayList<>();
    list.add(first);
    return list;
  }
}
