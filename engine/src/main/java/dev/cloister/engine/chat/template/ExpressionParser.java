package dev.cloister.engine.chat.template;

import dev.cloister.engine.chat.template.Expression.ArgumentList;
import dev.cloister.engine.chat.template.Expression.Constant;
import dev.cloister.engine.chat.template.Lexer.Kind;
import dev.cloister.engine.chat.template.Lexer.Token;
import dev.cloister.engine.chat.template.TemplateException.Fault;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses expressions with the grammar and the precedence of jinja2's parser. */
final class ExpressionParser {

  private static final int MAX_NESTING = 100;
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final Set<String> PRODUCTS = Set.of("*", "/", "//", "%");
  private static final Set<Kind> BEGIN_ARGUMENT =
      Set.of(Kind.NAME, Kind.STRING, Kind.INTEGER, Kind.FLOAT);

  private final List<Token> tokens;
  private final int[] line;
  private int at;
  private int nesting;

  ExpressionParser(List<Token> tokens, int[] line) {
    this.tokens = tokens;
    this.line = line;
  }

  Token current() {
    return tokens.get(at);
  }

  /** The tokens read since the place, which {@link #place} told. */
  List<Token> since(int place) {
    return tokens.subList(place, at);
  }

  int place() {
    return at;
  }

  Token next() {
    Token token = tokens.get(at);
    line[0] = token.line();
    if (token.kind() != Kind.END) {
      at++;
    }
    return token;
  }

  boolean skip(Kind kind, String text) {
    if (current().is(kind, text)) {
      next();
      return true;
    }
    return false;
  }

  boolean operator(String text) {
    return skip(Kind.OPERATOR, text);
  }

  boolean name(String text) {
    return skip(Kind.NAME, text);
  }

  String expect(Kind kind, String shown) {
    if (current().kind() != kind) {
      throw unexpected(shown);
    }
    return next().text();
  }

  void expectOperator(String text) {
    if (!operator(text)) {
      throw unexpected("'" + text + "'");
    }
  }

  Fault unexpected(String expected) {
    Token token = next();
    return new Fault("unexpected %s (expected: %s)".formatted(token.shown(), expected));
  }

  void nest() {
    if (++nesting > MAX_NESTING) {
      throw new Fault("nested more than %d deep".formatted(MAX_NESTING));
    }
  }

  void unnest() {
    nesting--;
  }

  /** One expression, or several with commas between, which make a tuple. */
  Expression tuple(boolean conditional) {
    Expression first = conditional ? expression() : or();
    if (!current().is(Kind.OPERATOR, ",")) {
      return first;
    }
    List<Expression> elements = Expression.listOf(first);
    while (operator(",") && beginsExpression()) {
      elements.add(conditional ? expression() : or());
    }
    return new Expression.Elements(elements, true);
  }

  private boolean beginsExpression() {
    Token token = current();
    return BEGIN_ARGUMENT.contains(token.kind())
        || (token.kind() == Kind.OPERATOR && "([{-+".contains(token.text()));
  }

  Expression expression() {
    nest();
    Expression expression = or();
    while (name("if")) {
      Expression condition = or();
      expression =
          new Expression.Conditional(expression, condition, name("else") ? expression() : null);
    }
    unnest();
    return expression;
  }

  private Expression or() {
    Expression left = and();
    while (name("or")) {
      left = new Expression.Logic(false, left, and());
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (name("and")) {
      left = new Expression.Logic(true, left, not());
    }
    return left;
  }

  private Expression not() {
    if (name("not")) {
      nest();
      Expression operand = not();
      unnest();
      return new Expression.Not(operand);
    }
    return comparison();
  }

  private Expression comparison() {
    List<String> operators = new ArrayList<>();
    List<Expression> operands = Expression.listOf(sum());
    while (true) {
      Token token = current();
      if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
        operators.add(next().text());
      } else if (name("in")) {
        operators.add("in");
      } else if (token.is(Kind.NAME, "not") && tokens.get(at + 1).is(Kind.NAME, "in")) {
        next();
        next();
        operators.add("not in");
      } else {
        return operators.isEmpty()
            ? operands.getFirst()
            : new Expression.Comparison(operators, operands);
      }
      operands.add(sum());
    }
  }

  private Expression sum() {
    Expression left = concatenation();
    while (current().is(Kind.OPERATOR, "+") || current().is(Kind.OPERATOR, "-")) {
      left = new Expression.Binary(next().text(), left, concatenation());
    }
    return left;
  }

  private Expression concatenation() {
    Expression first = product();
    if (!current().is(Kind.OPERATOR, "~")) {
      return first;
    }
    List<Expression> parts = Expression.listOf(first);
    while (operator("~")) {
      parts.add(product());
    }
    return new Expression.Concatenation(parts);
  }

  private Expression product() {
    Expression left = power();
    while (current().kind() == Kind.OPERATOR && PRODUCTS.contains(current().text())) {
      left = new Expression.Binary(next().text(), left, power());
    }
    return left;
  }

  private Expression power() {
    Expression left = unary(true);
    while (operator("**")) {
      left = new Expression.Binary("**", left, unary(true));
    }
    return left;
  }

  private Expression unary(boolean filters) {
    nest();
    Expression operand =
        operator("-")
            ? new Expression.Sign(true, unary(false))
            : operator("+") ? new Expression.Sign(false, unary(false)) : primary();
    operand = postfix(operand);
    unnest();
    return filters ? filtersAndTests(operand) : operand;
  }

  private Expression primary() {
    Token token = next();
    return switch (token.kind()) {
      case NAME ->
          switch (token.text()) {
            case "true", "True" -> new Constant(true);
            case "false", "False" -> new Constant(false);
            case "none", "None" -> new Constant(null);
            default -> new Expression.Name(token.text());
          };
      case STRING -> {
        StringBuilder text = new StringBuilder(token.text());
        while (current().kind() == Kind.STRING) {
          text.append(next().text());
        }
        yield new Constant(text.toString());
      }
      case INTEGER -> new Constant(Values.parse(token.text()));
      case FLOAT -> new Constant(Double.valueOf(token.text()));
      case OPERATOR ->
          switch (token.text()) {
            case "(" -> parenthesized();
            case "[" -> new Expression.Elements(elements("]"), false);
            case "{" -> dict();
            default -> throw missing(token);
          };
      case DATA, PRINT_BEGIN, PRINT_END, BLOCK_BEGIN, BLOCK_END, END -> throw missing(token);
    };
  }

  private static Fault missing(Token token) {
    return new Fault("unexpected %s (expected: an expression)".formatted(token.shown()));
  }

  private Expression parenthesized() {
    if (operator(")")) {
      return new Expression.Elements(List.of(), true);
    }
    Expression inner = tuple(true);
    expectOperator(")");
    return inner;
  }

  private List<Expression> elements(String close) {
    List<Expression> elements = new ArrayList<>();
    while (!operator(close)) {
      elements.add(expression());
      if (!current().is(Kind.OPERATOR, close)) {
        expectOperator(",");
      }
    }
    return elements;
  }

  private Expression dict() {
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!operator("}")) {
      keys.add(expression());
      expectOperator(":");
      values.add(expression());
      if (!current().is(Kind.OPERATOR, "}")) {
        expectOperator(",");
      }
    }
    return new Expression.Dict(keys, values);
  }

  private Expression postfix(Expression target) {
    Expression expression = target;
    while (true) {
      if (operator(".")) {
        expression =
            current().kind() == Kind.INTEGER
                ? new Expression.Item(expression, new Constant(Values.parse(next().text())))
                : new Expression.Attribute(expression, expect(Kind.NAME, "a name"));
      } else if (operator("[")) {
        expression = subscript(expression);
      } else if (current().is(Kind.OPERATOR, "(")) {
        expression = new Expression.Call(expression, arguments());
      } else {
        return expression;
      }
    }
  }

  private Expression subscript(Expression target) {
    Expression from = slicePart();
    if (from != null && operator("]")) {
      return new Expression.Item(target, from);
    }
    expectOperator(":");
    Expression to = slicePart();
    Expression step = operator(":") ? slicePart() : null;
    expectOperator("]");
    return new Expression.Slice(target, from, to, step);
  }

  private @Nullable Expression slicePart() {
    boolean absent = current().is(Kind.OPERATOR, ":") || current().is(Kind.OPERATOR, "]");
    return absent ? null : expression();
  }

  private Expression filtersAndTests(Expression target) {
    Expression expression = target;
    while (true) {
      if (current().is(Kind.OPERATOR, "|")) {
        expression = filters(expression);
      } else if (name("is")) {
        expression = test(expression);
      } else if (current().is(Kind.OPERATOR, "(")) {
        expression = new Expression.Call(expression, arguments());
      } else {
        return expression;
      }
    }
  }

  /** The filters that follow, applied to the value. */
  Expression filters(Expression value) {
    Expression filtered = value;
    while (operator("|")) {
      filtered = filter(filtered);
    }
    return filtered;
  }

  /** One filter, its bar already read. */
  Expression filter(Expression value) {
    String name = expect(Kind.NAME, "the name of a filter");
    return new Expression.Filter(
        name, value, current().is(Kind.OPERATOR, "(") ? arguments() : ArgumentList.NONE);
  }

  private Expression test(Expression value) {
    boolean negated = name("not");
    String name = expect(Kind.NAME, "the name of a test");
    ArgumentList arguments = ArgumentList.NONE;
    Token token = current();
    if (token.is(Kind.OPERATOR, "(")) {
      arguments = arguments();
    } else if ((BEGIN_ARGUMENT.contains(token.kind())
            && !(token.kind() == Kind.NAME
                && Set.of("else", "or", "and", "if", "is").contains(token.text())))
        || token.is(Kind.OPERATOR, "[")
        || token.is(Kind.OPERATOR, "{")) {
      arguments = new ArgumentList(List.of(postfix(primary())), Map.of());
    }
    Expression test = new Expression.Test(name, value, arguments);
    return negated ? new Expression.Not(test) : test;
  }

  private ArgumentList arguments() {
    expectOperator("(");
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    while (!operator(")")) {
      Token token = current();
      if (token.kind() == Kind.NAME && tokens.get(at + 1).is(Kind.OPERATOR, "=")) {
        next();
        next();
        named.put(token.text(), expression());
      } else {
        positional.add(expression());
      }
      if (!current().is(Kind.OPERATOR, ")")) {
        expectOperator(",");
      }
    }
    return new ArgumentList(positional, named);
  }
}
