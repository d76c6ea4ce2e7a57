package dev.cloister.coordinator.labels;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Labels such as {@code site=hq}: those that a node has, or those that are required of one.
 * Administrators give them; a node that gave them to itself would claim to be trusted. Immutable.
 *
 * @param values by name; both are 1 to 63 letters, digits, {@code .}, {@code _} and {@code -}, and
 *     begin with a letter or digit
 */
public record Labels(SortedMap<String, String> values) {
  public static final Labels NONE = new Labels(new TreeMap<>());

  private static final int MOST = 32;
  private static final Pattern WORD = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

  /**
   * @throws IllegalArgumentException if there are too many or one is malformed; the message is one
   *     sentence
   */
  public Labels {
    values = Collections.unmodifiableSortedMap(new TreeMap<>(values));
    if (values.size() > MOST) {
      throw new IllegalArgumentException(
          "%d labels are too many (expected: at most %d)".formatted(values.size(), MOST));
    }
    values.forEach(
        (name, value) -> {
          requireWord(name);
          requireWord(value);
        });
  }

  private static void requireWord(String word) {
    if (!WORD.matcher(word).matches()) {
      throw new IllegalArgumentException(
          "a label is malformed (expected: for example site=hq, with 1 to 63 letters, digits, '.',"
              + " '_' and '-' on each side)");
    }
  }

  /**
   * @throws IllegalArgumentException as the constructor
   */
  public static Labels of(Map<String, String> values) {
    return new Labels(new TreeMap<>(values));
  }

  /**
   * Reads what {@link #toString} wrote.
   *
   * @throws IllegalArgumentException if it is something else
   */
  public static Labels parse(String text) {
    Map<String, String> values = new TreeMap<>();
    for (String label : text.isEmpty() ? List.<String>of() : List.of(text.split(",", -1))) {
      int sign = label.indexOf('=');
      if (sign < 0) {
        throw new IllegalArgumentException("'" + label + "' is no label (expected: site=hq)");
      }
      values.put(label.substring(0, sign), label.substring(sign + 1));
    }
    return of(values);
  }

  public boolean isEmpty() {
    return values.isEmpty();
  }

  /** Whether all that is required is here, with the same values. */
  public boolean have(Labels required) {
    return values.entrySet().containsAll(required.values.entrySet());
  }

  /**
   * The same without some and with others.
   *
   * @throws IllegalArgumentException as the constructor
   */
  public Labels with(Map<String, String> set, Collection<String> removed) {
    Map<String, String> next = new TreeMap<>(values);
    next.keySet().removeAll(removed);
    next.putAll(set);
    return of(next);
  }

  /** {@code class=server,site=hq}. */
  @Override
  public String toString() {
    List<String> labels = new ArrayList<>();
    values.forEach((name, value) -> labels.add(name + "=" + value));
    return labels.stream().collect(Collectors.joining(","));
  }
}
