package dev.cloister.engine.grammar;

import dev.cloister.engine.grammar.Grammar.Chars;
import dev.cloister.engine.grammar.Grammar.Reference;
import dev.cloister.engine.grammar.Grammar.Symbol;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Matches and makes texts of a grammar as llama.cpp does: a set of stacks, advanced together. */
final class GrammarMatcher {

  /** What is still to come: a sequence from an index on, and what follows it. */
  private record Place(int rule, int alternative, int index, @Nullable Place then) {}

  private final Grammar grammar;

  GrammarMatcher(Grammar grammar) {
    this.grammar = grammar;
  }

  boolean matches(String text) {
    Set<@Nullable Place> places = start();
    for (int c : text.codePoints().toArray()) {
      places = after(places, c);
    }
    return places.contains(null);
  }

  /** How much of the text a model could have written under the grammar. */
  int longestStart(String text) {
    Set<@Nullable Place> places = start();
    int length = 0;
    for (int c : text.codePoints().toArray()) {
      places = after(places, c);
      if (places.isEmpty()) {
        return length;
      }
      length++;
    }
    return length;
  }

  /** A random text of the grammar; null when it does not end in time. */
  @Nullable String random(Random random, int most) {
    Set<@Nullable Place> places = start();
    StringBuilder text = new StringBuilder();
    while (text.length() < most) {
      List<Place> open = new ArrayList<>();
      for (Place place : places) {
        if (place != null) {
          open.add(place);
        }
      }
      if (open.isEmpty() || (places.contains(null) && random.nextInt(3) == 0)) {
        return text.toString();
      }
      Place place = open.get(random.nextInt(open.size()));
      CodePoints set = ((Chars) symbol(place)).set().intersection(CodePoints.TEXT);
      CodePoints.Range range = set.ranges().get(random.nextInt(Math.min(3, set.ranges().size())));
      int c = random.nextInt(range.first(), Math.min(range.last(), range.first() + 80) + 1);
      text.appendCodePoint(c);
      places = after(places, c);
    }
    return null;
  }

  private Set<@Nullable Place> start() {
    Set<@Nullable Place> places = new HashSet<>();
    enter(0, null, places);
    return places;
  }

  private Set<@Nullable Place> after(Set<@Nullable Place> places, int c) {
    Set<@Nullable Place> next = new HashSet<>();
    for (Place place : places) {
      if (place != null && ((Chars) symbol(place)).set().contains(c)) {
        advance(place.rule, place.alternative, place.index + 1, place.then, next);
      }
    }
    return next;
  }

  private Symbol symbol(Place place) {
    return grammar.rules().get(place.rule).alternatives().get(place.alternative).get(place.index);
  }

  private void enter(int rule, @Nullable Place then, Set<@Nullable Place> places) {
    for (int i = 0; i < grammar.rules().get(rule).alternatives().size(); i++) {
      advance(rule, i, 0, then, places);
    }
  }

  private void advance(
      int rule, int alternative, int index, @Nullable Place then, Set<@Nullable Place> places) {
    List<Symbol> sequence = grammar.rules().get(rule).alternatives().get(alternative);
    if (index == sequence.size()) {
      if (then == null) {
        places.add(null);
      } else {
        advance(then.rule, then.alternative, then.index, then.then, places);
      }
      return;
    }
    switch (sequence.get(index)) {
      case Chars chars -> places.add(new Place(rule, alternative, index, then));
      case Reference reference ->
          enter(
              reference.rule(),
              index + 1 == sequence.size() ? then : new Place(rule, alternative, index + 1, then),
              places);
    }
  }
}
