package dev.cloister.engine.grammar;

import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** Objects whose properties come in a given order, each required or not. */
final class ObjectRules {

  /**
   * A property of the object.
   *
   * @param value the rule of its value
   */
  record Property(String name, String value, boolean required) {}

  private final JsonRules json;
  private final RuleBook book;

  ObjectRules(JsonRules json) {
    this.json = json;
    this.book = json.book();
  }

  /**
   * The sequence of an object.
   *
   * @param additional the rule of the values of further properties, which come last; empty where
   *     there are none
   */
  String object(String hint, List<Property> properties, String additional) {
    // What may follow once a property is written, and what may come first; both from the end.
    String after = "";
    List<String> first = new ArrayList<>();
    if (!additional.isEmpty()) {
      String key =
          properties.isEmpty()
              ? json.string()
              : otherKey(properties.stream().map(Property::name).toList());
      String member = book.define(hint + "-other", json.member(key, additional));
      after = book.define(hint + "-others", json.comma() + " " + member) + "*";
      first.add(member + " " + after);
    }
    boolean canBeEmpty = true;
    for (Property property : properties.reversed()) {
      String name = hint + "-" + property.name();
      String member =
          book.define(
              name + "-member", json.member(JsonRules.key(property.name()), property.value()));
      if (property.required()) {
        first.clear();
        canBeEmpty = false;
      }
      first.addFirst((member + " " + after).strip());
      String next = json.comma() + " " + member;
      String rest = property.required() ? next : "(" + next + ")?";
      after = book.define(name + "-on", (rest + " " + after).strip());
    }
    if (first.isEmpty()) {
      return json.braces("");
    }
    String members = String.join(" | ", first);
    String inner = "(%s) %s".formatted(members, json.space());
    return json.braces(canBeEmpty ? "(%s)?".formatted(inner) : inner);
  }

  /** Names by character, as JSON writes them. */
  private static final class Prefix {
    final TreeMap<Integer, Prefix> next = new TreeMap<>();
    boolean complete;
  }

  /**
   * A key that is none of the names. Its start, as far as it is that of a name, has no escapes, so
   * that a name spelt with them does not come twice.
   */
  private String otherKey(List<String> names) {
    Prefix start = new Prefix();
    for (String name : names) {
      String written = TextNode.valueOf(name).toString();
      Prefix prefix = start;
      for (int c : written.substring(1, written.length() - 1).codePoints().toArray()) {
        prefix = prefix.next.computeIfAbsent(c, _ -> new Prefix());
      }
      prefix.complete = true;
    }
    return "%s %s %s".formatted(JsonRules.QUOTE, otherThan(start), JsonRules.QUOTE);
  }

  private String otherThan(Prefix prefix) {
    String characters = json.character() + "*";
    List<String> ways = new ArrayList<>();
    CodePoints taken = CodePoints.NONE;
    for (var entry : prefix.next.entrySet()) {
      taken = taken.union(CodePoints.of(entry.getKey()));
      ways.add(
          RuleBook.literal(Character.toString(entry.getKey())) + " " + otherThan(entry.getValue()));
    }
    CodePoints free = JsonRules.UNESCAPED.minus(taken);
    ways.add(RuleBook.characterClass(free) + " " + characters);
    // Empty alternatives come first: GBNF would read on in the next line after one at the end.
    String empty = prefix.complete ? "" : "| ";
    return book.define("other-key", empty + String.join(" | ", ways));
  }
}
