package dev.cloister.cli.argument;

import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.client.admin.LabelChange;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Labels as people write them: {@code site=hq} to set one, {@code site-} to be without it. */
public final class LabelArguments {
  private LabelArguments() {}

  /**
   * @throws CommandFailedException if one is malformed
   */
  public static LabelChange change(List<String> arguments) {
    Map<String, String> set = new HashMap<>();
    Set<String> removed = new HashSet<>();
    for (String argument : arguments) {
      int sign = argument.indexOf('=');
      if (sign > 0) {
        set.put(argument.substring(0, sign), argument.substring(sign + 1));
      } else if (sign < 0 && argument.length() > 1 && argument.endsWith("-")) {
        removed.add(argument.substring(0, argument.length() - 1));
      } else {
        throw new CommandFailedException(
            ExitCode.USAGE,
            "'" + argument + "' is no label (expected: site=hq, or site- to remove it)");
      }
    }
    return new LabelChange(set, removed);
  }

  /**
   * Labels that can only be set.
   *
   * @throws CommandFailedException if one is malformed
   */
  public static Map<String, String> required(List<String> arguments) {
    LabelChange change = change(arguments);
    if (!change.removed().isEmpty()) {
      throw new CommandFailedException(
          ExitCode.USAGE, "a new key requires no labels yet (expected: for example class=server)");
    }
    return change.set();
  }

  /** {@code class=server, site=hq}, or a dash. */
  public static String shown(Map<String, String> labels) {
    return labels.isEmpty()
        ? "-"
        : new TreeMap<>(labels)
            .entrySet().stream()
                .map(label -> label.getKey() + "=" + label.getValue())
                .collect(Collectors.joining(", "));
  }
}
