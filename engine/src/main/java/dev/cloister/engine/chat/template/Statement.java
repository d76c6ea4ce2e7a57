package dev.cloister.engine.chat.template;

import dev.cloister.engine.chat.template.Scope.Rendering;
import dev.cloister.engine.chat.template.TemplateException.Fault;
import dev.cloister.engine.chat.template.Values.Arguments;
import dev.cloister.engine.chat.template.Values.Attributed;
import dev.cloister.engine.chat.template.Values.Invocable;
import dev.cloister.engine.chat.template.Values.Namespace;
import dev.cloister.engine.chat.template.Values.Sequence;
import dev.cloister.engine.chat.template.Values.Undefined;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A statement of a template. Immutable. */
sealed interface Statement {

  /** What comes after a statement: the next one, or what the loop around does. */
  enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  /** Writes the statement's text behind what is there. */
  Flow execute(Scope scope, StringBuilder out);

  record Block(List<Statement> statements) implements Statement {

    @Override
    public Flow execute(Scope scope, StringBuilder out) {
      scope.rendering().enter();
      Flow flow = Flow.NEXT;
      for (int i = 0; i < statements.size() && flow == Flow.NEXT; i++) {
        flow = statements.get(i).execute(scope, out);
      }
      scope.rendering().leave();
      return flow;
    }

    /** The block's text, from a scope of its own. */
    String text(Scope inner) {
      StringBuilder text = new StringBuilder();
      execute(inner, text);
      return inner.rendering().handled(text.toString());
    }
  }

  record Text(String text) implements Statement {
    @Override
    public Flow execute(Scope scope, StringBuilder out) {
      out.append(scope.rendering().handled(text));
      return Flow.NEXT;
    }
  }

  record Print(int line, Expression expression) implements Statement {
    @Override
    public Flow execute(Scope scope, StringBuilder out) {
      scope.rendering().at(line);
      out.append(TextForm.string(scope.value(expression), scope.rendering()));
      return Flow.NEXT;
    }
  }

  record If(int line, Expression condition, Block then, @Nullable Statement otherwise)
      implements Statement {
    @Override
    public Flow execute(Scope scope, StringBuilder out) {
      scope.rendering().at(line);
      if (Operators.truth(scope.value(condition))) {
        return then.execute(scope, out);
      }
      return otherwise == null ? Flow.NEXT : otherwise.execute(scope, out);
    }
  }

  /** {@code break} and {@code continue}. */
  record Jump(Flow flow) implements Statement {
    @Override
    public Flow execute(Scope scope, StringBuilder out) {
      return flow;
    }
  }

  /** A block in a scope of its own: {@code with}, and {@code generation} with no names. */
  record Inner(int line, List<Target> targets, List<Expression> values, Block body)
      implements Statement {
    @Override
    public Flow execute(Scope scope, StringBuilder out) {
      scope.rendering().at(line);
      Scope inner = scope.inner();
      for (int i = 0; i < targets.size(); i++) {
        targets.get(i).assign(inner, scope.value(values.get(i)));
      }
      return body.execute(inner, out);
    }
  }

  record Assignment(int line, Target target, Expression value) implements Statement {
    @Override
    public Flow execute(Scope scope, StringBuilder out) {
      scope.rendering().at(line);
      target.assign(scope, scope.value(value));
      return Flow.NEXT;
    }
  }

  /**
   * The text of a block, under the name {@link #TEXT} in the expression, is assigned or, without a
   * target, printed: {@code {% set x %}}, {@code {% filter upper %}}.
   */
  record Captured(int line, @Nullable Target target, Expression expression, Block body)
      implements Statement {

    /** No name that a template can write. */
    static final Expression.Name TEXT = new Expression.Name("text of the block");

    @Override
    public Flow execute(Scope scope, StringBuilder out) {
      scope.rendering().at(line);
      Scope inner = scope.inner();
      inner.set(TEXT.name(), body.text(scope.inner()));
      Object value = inner.value(expression);
      if (target == null) {
        out.append(TextForm.string(value, scope.rendering()));
      } else {
        target.assign(scope, value);
      }
      return Flow.NEXT;
    }
  }

  /** Where a value goes. */
  sealed interface Target {

    void assign(Scope scope, @Nullable Object value);

    record Variable(String name) implements Target {
      @Override
      public void assign(Scope scope, @Nullable Object value) {
        scope.set(name, value);
      }
    }

    record Field(String name, String attribute) implements Target {
      @Override
      public void assign(Scope scope, @Nullable Object value) {
        if (!(scope.get(name) instanceof Namespace namespace)) {
          throw new Fault(
              "'%s' is no namespace, so that '%s' of it cannot be set".formatted(name, attribute));
        }
        namespace.set(attribute, value);
      }
    }

    record Several(List<Target> targets) implements Target {
      @Override
      public void assign(Scope scope, @Nullable Object value) {
        List<?> elements = Operators.elements(value, scope.rendering());
        if (elements.size() != targets.size()) {
          throw new Fault(
              "%d values cannot be unpacked (expected: %d)"
                  .formatted(elements.size(), targets.size()));
        }
        for (int i = 0; i < targets.size(); i++) {
          targets.get(i).assign(scope, elements.get(i));
        }
      }
    }
  }

  record For(
      int line,
      Target target,
      Expression elements,
      @Nullable Expression condition,
      boolean recursive,
      Block body,
      @Nullable Block otherwise)
      implements Statement {

    @Override
    public Flow execute(Scope scope, StringBuilder out) {
      scope.rendering().at(line);
      run(scope, Operators.elements(scope.value(elements), scope.rendering()), 0, out);
      return Flow.NEXT;
    }

    private void run(
        Scope scope, List<? extends @Nullable Object> all, int depth, StringBuilder out) {
      List<? extends @Nullable Object> chosen = condition == null ? all : chosen(scope, all);
      if (chosen.isEmpty() && otherwise != null) {
        otherwise.execute(scope.inner(), out);
      }
      Loop loop = new Loop(this, scope, chosen, depth);
      for (Object element : chosen) {
        loop.index++;
        scope.rendering().at(line);
        Scope inner = scope.inner();
        inner.set("loop", loop);
        target.assign(inner, element);
        if (body.execute(inner, out) == Flow.BREAK) {
          break;
        }
      }
    }

    private List<@Nullable Object> chosen(Scope scope, List<? extends @Nullable Object> all) {
      List<@Nullable Object> chosen = new ArrayList<>();
      for (Object element : all) {
        Scope inner = scope.inner();
        target.assign(inner, element);
        if (condition != null && Operators.truth(inner.value(condition))) {
          chosen.add(element);
        }
      }
      return chosen;
    }
  }

  /** What {@code loop} is inside a loop's body; called, it runs a recursive loop once more. */
  final class Loop implements Attributed, Invocable {

    private final For statement;
    private final Scope scope;
    private final List<? extends @Nullable Object> elements;
    private final int depth;
    private int index = -1;
    private @Nullable List<@Nullable Object> last;

    private Loop(For statement, Scope scope, List<? extends @Nullable Object> elements, int depth) {
      this.statement = statement;
      this.scope = scope;
      this.elements = elements;
      this.depth = depth;
    }

    @Override
    public @Nullable Object attribute(String name) {
      int size = elements.size();
      return switch (name) {
        case "index" -> index + 1L;
        case "index0" -> (long) index;
        case "revindex" -> (long) size - index;
        case "revindex0" -> size - index - 1L;
        case "first" -> index == 0;
        case "last" -> index == size - 1;
        case "length" -> (long) size;
        case "depth" -> depth + 1L;
        case "depth0" -> (long) depth;
        case "previtem" ->
            index > 0 ? elements.get(index - 1) : new Undefined("there is no previous item");
        case "nextitem" ->
            index < size - 1 ? elements.get(index + 1) : new Undefined("there is no next item");
        case "cycle", "changed" -> new LoopMethod(this, name);
        default -> new Undefined("'loop' has no attribute '%s'".formatted(name));
      };
    }

    @Override
    public Object invoke(Rendering rendering, Arguments arguments) {
      if (!statement.recursive()) {
        throw new Fault("'loop' is called in a loop that is not recursive");
      }
      StringBuilder text = new StringBuilder();
      List<?> inner = Operators.elements(arguments.require(0, "iterable"), rendering);
      statement.run(scope, inner, depth + 1, text);
      return rendering.handled(text.toString());
    }
  }

  record LoopMethod(Loop loop, String name) implements Invocable {
    @Override
    public @Nullable Object invoke(Rendering rendering, Arguments arguments) {
      List<@Nullable Object> given = arguments.positional();
      if (name.equals("cycle")) {
        return given.isEmpty() ? null : given.get(loop.index % given.size());
      }
      boolean changed = loop.last == null || !Operators.equal(loop.last, given, rendering);
      loop.last = given;
      return changed;
    }
  }

  /**
   * A macro's definition, or the block of a {@code call}, which is the macro {@code caller} of the
   * one called.
   *
   * @param extras which of {@code varargs}, {@code kwargs} and {@code caller} the body asks for
   */
  record Macro(
      int line,
      String name,
      List<String> parameters,
      Map<String, Expression> defaults,
      Set<String> extras,
      Block body)
      implements Statement {

    @Override
    public Flow execute(Scope scope, StringBuilder out) {
      scope.rendering().at(line);
      scope.set(name, in(scope));
      return Flow.NEXT;
    }

    Invocable in(Scope scope) {
      return new Definition(this, scope);
    }
  }

  record Definition(Macro macro, Scope scope) implements Invocable {
    @Override
    public Object invoke(Rendering rendering, Arguments arguments) {
      Scope inner = scope.inner();
      List<String> parameters = macro.parameters();
      for (int i = 0; i < parameters.size(); i++) {
        String name = parameters.get(i);
        Expression otherwise = macro.defaults().get(name);
        inner.set(
            name,
            arguments.has(i, name)
                ? arguments.get(i, name, null)
                : otherwise == null
                    ? new Undefined("parameter '%s' was not provided".formatted(name))
                    : inner.value(otherwise));
      }
      Map<String, @Nullable Object> unknown = new HashMap<>(arguments.named());
      parameters.forEach(unknown::remove);
      Object caller = unknown.remove("caller");
      if (macro.extras().contains("caller")) {
        inner.set("caller", caller == null ? new Undefined("no caller defined") : caller);
      }
      Arguments rest = arguments.rest(parameters.size());
      extra("varargs", Sequence.tuple(rest.positional()), !rest.positional().isEmpty(), inner);
      extra("kwargs", unknown, !unknown.isEmpty(), inner);
      int line = rendering.line();
      String text = macro.body().text(inner);
      rendering.at(line);
      return text;
    }

    private void extra(String name, Object value, boolean given, Scope inner) {
      if (macro.extras().contains(name)) {
        inner.set(name, value);
      } else if (given) {
        throw new Fault(
            "macro '%s' takes no more than the arguments %s"
                .formatted(macro.name(), macro.parameters()));
      }
    }
  }

  /** {@code {% call f() %}}. */
  record CallBlock(int line, Expression.Call call, Macro caller) implements Statement {
    @Override
    public Flow execute(Scope scope, StringBuilder out) {
      scope.rendering().at(line);
      Object value = call.with(caller.in(scope), scope);
      out.append(TextForm.string(value, scope.rendering()));
      return Flow.NEXT;
    }
  }
}
