package dev.cloister.agent.supervisor;

import dev.cloister.identity.ticket.PlanTicket;
import java.util.List;
import java.util.Locale;

/**
 * Some layers of a model, to be served as a stage of a pipeline.
 *
 * @param plan that the stage is part of
 * @param index counted from 0
 * @param count of stages
 * @param endLayer behind the last one
 * @param shelfBytes of main memory that states which leave the KV cache may take
 */
public record StageSpec(
    String plan, int index, int count, int firstLayer, int endLayer, long shelfBytes) {

  /** What an engine has to know of its place. */
  public enum Place {
    FIRST,
    MIDDLE,
    LAST
  }

  /**
   * @throws IllegalArgumentException if a value is out of range; the message is one sentence
   */
  public StageSpec {
    if (count < 2 || index < 0 || index >= count) {
      throw new IllegalArgumentException(
          "the stage is %d of %d (expected: at least 2, counted from 0)".formatted(index, count));
    }
    if (firstLayer < 0 || firstLayer >= endLayer) {
      throw new IllegalArgumentException(
          "the stage's layers: %d to %d (expected: at least one)".formatted(firstLayer, endLayer));
    }
    if (shelfBytes < 0) {
      throw new IllegalArgumentException(
          "the stage's shelf in bytes: %d (expected: >= 0)".formatted(shelfBytes));
    }
  }

  Place place() {
    if (index == 0) {
      return Place.FIRST;
    }
    return index == count - 1 ? Place.LAST : Place.MIDDLE;
  }

  /** Whether a ticket is for this stage. */
  boolean isOf(PlanTicket ticket) {
    return equals(
        new StageSpec(
            ticket.plan(),
            ticket.stage(),
            ticket.stages(),
            ticket.firstLayer(),
            ticket.endLayer(),
            shelfBytes));
  }

  /**
   * The same layers at the same kind of place, in no plan. The first stage keeps as many steps
   * under way as there are stages, the others do not care how many there are.
   */
  StageSpec withoutPlan() {
    return switch (place()) {
      case FIRST -> new StageSpec("", 0, count, firstLayer, endLayer, shelfBytes);
      case MIDDLE -> new StageSpec("", 1, 3, firstLayer, endLayer, shelfBytes);
      case LAST -> new StageSpec("", 2, 3, firstLayer, endLayer, shelfBytes);
    };
  }

  /** As an engine's command line takes them. */
  List<String> flags() {
    return List.of(
        "--stage",
        place().name().toLowerCase(Locale.ROOT),
        "--stages",
        String.valueOf(count),
        "--shelf-bytes",
        String.valueOf(shelfBytes));
  }
}
