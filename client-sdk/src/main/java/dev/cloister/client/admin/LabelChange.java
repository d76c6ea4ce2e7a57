package dev.cloister.client.admin;

import java.util.Map;
import java.util.Set;

/**
 * What is to become of labels; others stay as they are.
 *
 * @param set by name, at most 32; name and value are 1 to 63 letters, digits, {@code .}, {@code _}
 *     and {@code -}
 * @param removed names of labels to be without
 */
public record LabelChange(Map<String, String> set, Set<String> removed) {
  public LabelChange {
    set = Map.copyOf(set);
    removed = Set.copyOf(removed);
  }
}
