package dev.cloister.engine.grammar;

import dev.cloister.engine.grammar.Grammar.Chars;
import dev.cloister.engine.grammar.Grammar.Reference;
import dev.cloister.engine.grammar.Grammar.Rule;
import dev.cloister.engine.grammar.Grammar.Symbol;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * Looks for what a grammar that reads well still does to llama.cpp: rules that begin with
 * themselves (it refuses them, or loops), rules that can be empty in more than one way (its work
 * doubles with each of them, in b4916 without end), and chains of rules too deep for its recursion.
 */
final class GrammarCheck {

  /** b4916 calls itself once for each rule on the way to a character; a thread's stack is 1 MiB. */
  private static final int MAX_DEPTH = 2_000;

  private enum Visit {
    NONE,
    OPEN,
    DONE
  }

  private final List<Rule> rules;
  private final boolean[] canBeEmpty;
  private final Visit[] visits;
  // How many rules are entered before the first character, and to find that a rule is empty.
  private final int[] depths;

  private GrammarCheck(List<Rule> rules) {
    this.rules = rules;
    this.canBeEmpty = new boolean[rules.size()];
    this.visits = new Visit[rules.size()];
    this.depths = new int[rules.size()];
    Arrays.fill(visits, Visit.NONE);
  }

  /** Throws {@link IllegalArgumentException} with a sentence that names the rule. */
  static void check(List<Rule> rules) {
    GrammarCheck check = new GrammarCheck(rules);
    check.findEmptyRules();
    for (int rule = 0; rule < rules.size(); rule++) {
      check.visit(rule, 0);
    }
    check.refuseAmbiguousEmptiness();
  }

  private void findEmptyRules() {
    List<List<Integer>> users = new ArrayList<>();
    Deque<Integer> open = new ArrayDeque<>();
    for (int rule = 0; rule < rules.size(); rule++) {
      users.add(new ArrayList<>());
      open.add(rule);
    }
    for (int rule = 0; rule < rules.size(); rule++) {
      for (List<Symbol> sequence : rules.get(rule).alternatives()) {
        for (Symbol symbol : sequence) {
          if (symbol instanceof Reference reference) {
            users.get(reference.rule()).add(rule);
          }
        }
      }
    }
    while (!open.isEmpty()) {
      int rule = open.remove();
      if (!canBeEmpty[rule] && rules.get(rule).alternatives().stream().anyMatch(this::isEmpty)) {
        canBeEmpty[rule] = true;
        open.addAll(users.get(rule));
      }
    }
  }

  private boolean isEmpty(List<Symbol> sequence) {
    for (Symbol symbol : sequence) {
      if (!isEmpty(symbol)) {
        return false;
      }
    }
    return true;
  }

  private boolean isEmpty(Symbol symbol) {
    return switch (symbol) {
      case Chars chars -> false;
      case Reference reference -> canBeEmpty[reference.rule()];
    };
  }

  private int visit(int rule, int caller) {
    if (visits[rule] == Visit.DONE) {
      return depths[rule];
    }
    if (visits[rule] == Visit.OPEN) {
      throw new IllegalArgumentException(
          "rule %s of the grammar begins with itself, or repeats what can be empty; let it begin with a character"
              .formatted(rules.get(rule).name()));
    }
    if (caller > MAX_DEPTH) {
      throw tooDeep(rule);
    }
    visits[rule] = Visit.OPEN;
    int deepest = 0;
    for (List<Symbol> sequence : rules.get(rule).alternatives()) {
      int depth = 0;
      for (Symbol symbol : sequence) {
        if (symbol instanceof Reference reference) {
          depth += visit(reference.rule(), caller + 1);
        }
        if (!isEmpty(symbol)) {
          break;
        }
      }
      deepest = Math.max(deepest, depth);
    }
    visits[rule] = Visit.DONE;
    depths[rule] = deepest + 1;
    if (depths[rule] > MAX_DEPTH) {
      throw tooDeep(rule);
    }
    return depths[rule];
  }

  private IllegalArgumentException tooDeep(int rule) {
    return new IllegalArgumentException(
        "rule %s of the grammar enters more than %d rules before its first character; make it flatter"
            .formatted(rules.get(rule).name(), MAX_DEPTH));
  }

  private void refuseAmbiguousEmptiness() {
    for (Rule rule : rules) {
      if (rule.alternatives().stream().filter(this::isEmpty).count() > 1) {
        throw new IllegalArgumentException(
            "rule %s of the grammar can be empty in more than one way; leave one of them"
                .formatted(rule.name()));
      }
    }
  }
}
