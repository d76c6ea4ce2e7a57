package dev.cloister.cli.policy;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.cli.policy.HeldPolicy.By;
import dev.cloister.cli.policy.HeldPolicy.Said;
import dev.cloister.client.admin.Courtesy.Ceilings;
import dev.cloister.client.admin.Courtesy.Hours;
import dev.cloister.client.admin.Courtesy.WhileUserPresent;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** When machines work, as {@code cloister policy show} prints it. */
final class PolicyTable {
  static final List<String> POINTS =
      List.of(
          "on battery", "others' cpu", "others' gpu", "user present", "hours", "memory", "disk");

  /** A word of a policy, and who said it. */
  record Cell(String value, List<By> by) {
    /** {@code pauses (owner)}; of what holds for all nobody is named. */
    String shown() {
      List<String> special =
          by.stream()
              .filter(each -> each == By.OWNER || each == By.NODE)
              .map(each -> each == By.OWNER ? "owner" : "set")
              .toList();
      return special.isEmpty() ? value : value + " (" + String.join(", ", special) + ")";
    }

    String saidBy() {
      return by.isEmpty()
          ? "nobody"
          : by.stream().map(each -> each.words).collect(Collectors.joining("; "));
    }
  }

  private PolicyTable() {}

  /** One for each of {@link #POINTS}. */
  static List<Cell> cells(HeldPolicy policy) {
    return List.of(
        cell(policy.battery(), "works", pause -> pause ? "pauses" : "works"),
        cell(policy.cpu(), "any", PolicyTable::share),
        cell(policy.gpu(), "any", PolicyTable::share),
        cell(policy.user(), "works", PolicyTable::present),
        new Cell(
            policy.hours().isEmpty()
                ? "always"
                : policy.hours().stream()
                    .map(said -> said.value().toString())
                    .collect(Collectors.joining(" and ")),
            policy.hours().stream().map(Said::by).toList()),
        cell(policy.memory(), "any", PolicyTable::size),
        cell(policy.disk(), "any", PolicyTable::size));
  }

  private static <T> Cell cell(Optional<Said<T>> said, String otherwise, Function<T, String> text) {
    return new Cell(
        said.map(word -> text.apply(word.value())).orElse(otherwise),
        said.map(Said::by).stream().toList());
  }

  private static String share(double share) {
    return share >= 1 ? "any" : "up to " + Math.round(100 * share) + " %";
  }

  private static String size(long bytes) {
    return bytes == Ceilings.UNLIMITED ? "any" : "up to " + OutputOptions.size(bytes);
  }

  private static String present(WhileUserPresent present) {
    return switch (present) {
      case WORK -> "works";
      case GENTLY -> "gently";
      case PAUSE -> "pauses";
    };
  }

  /** Writes {@code holds} and {@code said_by} into an object. */
  static void write(JsonGenerator json, HeldPolicy policy) throws IOException {
    json.writeObjectFieldStart("holds");
    json.writeBooleanField("pause_on_battery", policy.battery().map(Said::value).orElse(false));
    writeShare(json, "pause_above_cpu", policy.cpu());
    writeShare(json, "pause_above_gpu", policy.gpu());
    json.writeStringField(
        "while_user_present",
        policy.user().map(said -> said.value().name().toLowerCase(Locale.ROOT)).orElse("work"));
    json.writeArrayFieldStart("hours");
    for (Said<Hours> said : policy.hours()) {
      json.writeString(said.value().toString());
    }
    json.writeEndArray();
    writeSize(json, "memory_limit_bytes", policy.memory());
    writeSize(json, "disk_limit_bytes", policy.disk());
    json.writeEndObject();
    json.writeObjectFieldStart("said_by");
    writeBy(json, "pause_on_battery", policy.battery());
    writeBy(json, "pause_above_cpu", policy.cpu());
    writeBy(json, "pause_above_gpu", policy.gpu());
    writeBy(json, "while_user_present", policy.user());
    json.writeArrayFieldStart("hours");
    for (Said<Hours> said : policy.hours()) {
      json.writeString(word(said.by()));
    }
    json.writeEndArray();
    writeBy(json, "memory_limit_bytes", policy.memory());
    writeBy(json, "disk_limit_bytes", policy.disk());
    json.writeEndObject();
  }

  private static void writeSize(JsonGenerator json, String name, Optional<Said<Long>> size)
      throws IOException {
    if (size.isPresent() && size.get().value() != Ceilings.UNLIMITED) {
      json.writeNumberField(name, size.get().value());
    } else {
      json.writeNullField(name);
    }
  }

  private static void writeShare(JsonGenerator json, String name, Optional<Said<Double>> share)
      throws IOException {
    if (share.isPresent()) {
      json.writeNumberField(name, share.get().value());
    } else {
      json.writeNullField(name);
    }
  }

  private static void writeBy(JsonGenerator json, String name, Optional<? extends Said<?>> said)
      throws IOException {
    if (said.isPresent()) {
      json.writeStringField(name, word(said.get().by()));
    } else {
      json.writeNullField(name);
    }
  }

  private static String word(By by) {
    return by.name().toLowerCase(Locale.ROOT);
  }
}
