package dev.cloister.engine.chat.template;

import dev.cloister.engine.chat.template.Lexer.Kind;
import dev.cloister.engine.chat.template.Lexer.Token;
import dev.cloister.engine.chat.template.Statement.Block;
import dev.cloister.engine.chat.template.Statement.Captured;
import dev.cloister.engine.chat.template.Statement.Target;
import dev.cloister.engine.chat.template.TemplateException.Fault;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Parses a template's statements. A block's own ending tag is read together with its body. */
final class StatementParser {

  private final ExpressionParser in;
  private int loops;

  /**
   * @param line kept at the line that is read, for the message if it fails
   */
  StatementParser(List<Token> tokens, int[] line) {
    in = new ExpressionParser(tokens, line);
  }

  Block template() {
    Block block = block(Set.of());
    if (in.current().kind() != Kind.END) {
      throw in.unexpected("text or a tag");
    }
    return block;
  }

  /** Reads up to one of the tags, whose beginning is read and whose name is not. */
  private Block block(Set<String> ends) {
    in.nest();
    List<Statement> statements = new ArrayList<>();
    while (true) {
      Token token = in.next();
      switch (token.kind()) {
        case DATA -> statements.add(new Statement.Text(token.text()));
        case PRINT_BEGIN -> {
          statements.add(new Statement.Print(token.line(), in.tuple(true)));
          in.expect(Kind.PRINT_END, "}}");
        }
        case BLOCK_BEGIN -> {
          if (in.current().kind() == Kind.NAME && ends.contains(in.current().text())) {
            in.unnest();
            return new Block(statements);
          }
          statements.add(statement(token.line()));
        }
        case END -> {
          if (!ends.isEmpty()) {
            throw new Fault(
                "the template ends (expected: {%% %s %%})"
                    .formatted(String.join(" %} or {% ", ends.stream().sorted().toList())));
          }
          in.unnest();
          return new Block(statements);
        }
        case PRINT_END, BLOCK_END, NAME, STRING, INTEGER, FLOAT, OPERATOR ->
            throw new Fault("unexpected %s".formatted(token.shown()));
      }
    }
  }

  private Block body(String end) {
    Block body = block(Set.of(end));
    in.next();
    close();
    return body;
  }

  private void close() {
    in.expect(Kind.BLOCK_END, "%}");
  }

  private Statement statement(int line) {
    String tag = in.expect(Kind.NAME, "the name of a tag");
    return switch (tag) {
      case "if" -> condition(line);
      case "for" -> loop(line);
      case "set" -> assignment(line);
      case "macro" -> macro(line);
      case "call" -> call(line);
      case "with" -> with(line);
      case "filter" -> {
        Expression filtered = in.filters(in.filter(Captured.TEXT));
        close();
        yield new Captured(line, null, filtered, body("endfilter"));
      }
      case "generation" -> {
        close();
        yield new Statement.Inner(line, List.of(), List.of(), body("endgeneration"));
      }
      case "break", "continue" -> {
        if (loops == 0) {
          throw new Fault("'%s' stands outside of a loop".formatted(tag));
        }
        close();
        yield new Statement.Jump(
            tag.equals("break") ? Statement.Flow.BREAK : Statement.Flow.CONTINUE);
      }
      default -> throw new Fault("unknown tag '%s'".formatted(tag));
    };
  }

  private Statement condition(int line) {
    Expression condition = in.tuple(false);
    close();
    Block then = block(Set.of("elif", "else", "endif"));
    String end = in.next().text();
    Statement otherwise = null;
    if (end.equals("elif")) {
      in.nest();
      otherwise = condition(line);
      in.unnest();
    } else {
      close();
      otherwise = end.equals("else") ? body("endif") : null;
    }
    return new Statement.If(line, condition, then, otherwise);
  }

  private Statement loop(int line) {
    Target target = target(false);
    if (!in.name("in")) {
      throw in.unexpected("'in'");
    }
    Expression elements = in.tuple(false);
    Expression condition = in.name("if") ? in.expression() : null;
    boolean recursive = in.name("recursive");
    close();
    loops++;
    Block body = block(Set.of("else", "endfor"));
    loops--;
    boolean otherwise = in.next().text().equals("else");
    close();
    return new Statement.For(
        line, target, elements, condition, recursive, body, otherwise ? body("endfor") : null);
  }

  private Statement assignment(int line) {
    Target target = target(true);
    if (in.operator("=")) {
      Expression value = in.tuple(true);
      close();
      return new Statement.Assignment(line, target, value);
    }
    Expression filtered = in.filters(Captured.TEXT);
    close();
    return new Captured(line, target, filtered, body("endset"));
  }

  private Target target(boolean fields) {
    boolean parenthesized = in.operator("(");
    Target first = single(fields);
    List<Target> targets = new ArrayList<>();
    targets.add(first);
    while (in.operator(",")) {
      if (in.current().kind() == Kind.NAME && !in.current().text().equals("in")) {
        targets.add(single(fields));
      }
    }
    if (parenthesized) {
      in.expectOperator(")");
    }
    return targets.size() == 1 ? first : new Target.Several(targets);
  }

  private Target single(boolean fields) {
    String name = in.expect(Kind.NAME, "a name");
    return fields && in.operator(".")
        ? new Target.Field(name, in.expect(Kind.NAME, "a name"))
        : new Target.Variable(name);
  }

  private Statement macro(int line) {
    String name = in.expect(Kind.NAME, "the name of a macro");
    return definition(line, name, "endmacro");
  }

  private Statement call(int line) {
    int place = in.place();
    boolean signature = in.current().is(Kind.OPERATOR, "(");
    List<String> parameters = new ArrayList<>();
    Map<String, Expression> defaults = new HashMap<>();
    if (signature) {
      signature(parameters, defaults);
    }
    if (!(in.expression() instanceof Expression.Call called)) {
      throw new Fault("{% call %} without a call");
    }
    close();
    Block body = functionBody("endcall");
    return new Statement.CallBlock(
        line,
        called,
        new Statement.Macro(line, "caller", parameters, defaults, extras(place), body));
  }

  private Statement.Macro definition(int line, String name, String end) {
    int place = in.place();
    List<String> parameters = new ArrayList<>();
    Map<String, Expression> defaults = new HashMap<>();
    signature(parameters, defaults);
    close();
    Block body = functionBody(end);
    return new Statement.Macro(line, name, parameters, defaults, extras(place), body);
  }

  /** A body that no loop around it can be left from. */
  private Block functionBody(String end) {
    int around = loops;
    loops = 0;
    Block body = body(end);
    loops = around;
    return body;
  }

  private Set<String> extras(int place) {
    Set<String> extras = new HashSet<>();
    for (Token token : in.since(place)) {
      if (token.kind() == Kind.NAME
          && Set.of("varargs", "kwargs", "caller").contains(token.text())) {
        extras.add(token.text());
      }
    }
    return extras;
  }

  private void signature(List<String> parameters, Map<String, Expression> defaults) {
    in.expectOperator("(");
    while (!in.operator(")")) {
      String name = in.expect(Kind.NAME, "the name of a parameter");
      parameters.add(name);
      if (in.operator("=")) {
        defaults.put(name, in.expression());
      }
      if (!in.current().is(Kind.OPERATOR, ")")) {
        in.expectOperator(",");
      }
    }
  }

  private Statement with(int line) {
    List<Target> targets = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (in.current().kind() != Kind.BLOCK_END) {
      targets.add(single(false));
      in.expectOperator("=");
      values.add(in.expression());
      if (in.current().kind() != Kind.BLOCK_END) {
        in.expectOperator(",");
      }
    }
    close();
    return new Statement.Inner(line, targets, values, body("endwith"));
  }
}
