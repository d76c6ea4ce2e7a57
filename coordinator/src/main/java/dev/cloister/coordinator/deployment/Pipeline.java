package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.placement.Demand;
import dev.cloister.coordinator.placement.PipelinePlan;
import dev.cloister.coordinator.placement.PipelinePlan.PlannedStage;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.ticket.PlanTicket;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * One plan under way: its stages are loaded, then the ring is closed, and closed anew each time it
 * breaks. Not thread-safe.
 */
final class Pipeline {
  /** So long a ring may take to close before it is tried again. */
  private static final Duration LONGEST_CLOSING = Duration.ofSeconds(5);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final int MOST_DOUBLINGS = 6;

  /** A ring that stayed closed for so long was sound. */
  private static final Duration STEADY = Duration.ofSeconds(10);

  /** How far it is. */
  private enum State {
    /** Not all stages are loaded. */
    LOADING,
    /** All stages have their tickets. */
    CLOSING,
    /** The first stage answers. */
    CLOSED,
    /** It broke, and is closed again after a pause. */
    BROKEN
  }

  private final String id;
  private final Model model;
  private final Demand demand;
  private final PipelinePlan plan;
  private State state = State.LOADING;
  private Instant since;

  /** Counts the tickets that were given out; 0 before the first. */
  private long epoch;

  private int failures;

  Pipeline(String id, Model model, Demand demand, PipelinePlan plan, Instant now) {
    this.id = id;
    this.model = model;
    this.demand = demand;
    this.plan = plan;
    this.since = now;
  }

  Model model() {
    return model;
  }

  Demand demand() {
    return demand;
  }

  PipelinePlan plan() {
    return plan;
  }

  /** Whether it is on its way to its first answer, as far as one knows. */
  boolean isRising() {
    return failures == 0 && state != State.CLOSED;
  }

  /** Whether it did not close when it was to. */
  boolean isInDoubt() {
    return failures > 0 && state != State.CLOSED;
  }

  /** The nodes of its stages, in order. */
  List<String> nodes() {
    return plan.stages().stream().map(PlannedStage::nodeId).toList();
  }

  /** What the node of a stage is to have loaded. */
  Assignment assignment(PlannedStage stage) {
    return new Assignment(
        model,
        demand.contextTokens(),
        demand.slots(),
        Optional.of(
            new Assignment.Stage(
                id,
                plan.stages().indexOf(stage),
                plan.stages().size(),
                stage.firstLayer(),
                stage.endLayer(),
                stage.memory().shelfBytes())));
  }

  /** The news of a stage, unless they are of another plan. */
  Optional<Replica> replica(
      PlannedStage stage, BiFunction<String, String, Optional<Replica>> replicas) {
    return replicas.apply(stage.nodeId(), model.name()).filter(news -> news.plan().equals(id));
  }

  /** Why a stage cannot be loaded, in one sentence; empty if none failed. */
  Optional<String> failure(BiFunction<String, String, Optional<Replica>> replicas) {
    for (PlannedStage stage : plan.stages()) {
      if (replica(stage, replicas).orElse(null) instanceof Replica.Failed failed) {
        return Optional.of(
            "%s cannot load its layers of '%s': %s"
                .formatted(stage.nodeName(), model.name(), failed.error()));
      }
    }
    return Optional.empty();
  }

  /**
   * Takes note of how the stages are.
   *
   * @param replicas what there is of a model on a node, by node and model
   * @return whether tickets are to be given out now
   */
  boolean observe(BiFunction<String, String, Optional<Replica>> replicas, Instant now) {
    List<Optional<Replica>> stages =
        plan.stages().stream().map(stage -> replica(stage, replicas)).toList();
    boolean answers = stages.getFirst().filter(Replica.Ready.class::isInstance).isPresent();
    boolean loaded =
        stages.stream()
                .skip(answers ? 1 : 0)
                .filter(stage -> stage.filter(Replica.Staged.class::isInstance).isPresent())
                .count()
            == stages.size() - (answers ? 1 : 0);
    if (!loaded) {
      become(State.LOADING, now);
      return false;
    }
    if (answers) {
      become(State.CLOSED, now);
      return false;
    }
    return switch (state) {
      case LOADING -> true;
      case CLOSED -> {
        failures = since.plus(STEADY).isBefore(now) ? 0 : failures + 1;
        become(State.BROKEN, now);
        yield failures == 0;
      }
      case CLOSING -> {
        if (since.plus(LONGEST_CLOSING).isBefore(now)) {
          failures++;
          become(State.BROKEN, now);
        }
        yield false;
      }
      case BROKEN -> !now.isBefore(since.plus(pause()));
    };
  }

  private Duration pause() {
    return failures == 0
        ? Duration.ZERO
        : FIRST_PAUSE.multipliedBy(1L << Math.min(failures - 1, MOST_DOUBLINGS));
  }

  /** Notes that tickets are given out; returns their epoch. */
  long close(Instant now) {
    become(State.CLOSING, now);
    return ++epoch;
  }

  /**
   * The tickets of the current epoch, one for each stage.
   *
   * @param relayed whether frames from a node to another go through the coordinator
   */
  List<PlanTicket> tickets(
      Function<String, Neighbour> neighbours, BiPredicate<String, String> relayed, Instant expiry) {
    List<PlannedStage> stages = plan.stages();
    int count = stages.size();
    List<Neighbour> ring = stages.stream().map(stage -> neighbours.apply(stage.nodeId())).toList();
    return IntStream.range(0, count)
        .mapToObj(
            i -> {
              Neighbour holder = ring.get(i);
              Neighbour previous = ring.get((i + count - 1) % count);
              Neighbour next = ring.get((i + 1) % count);
              return new PlanTicket(
                  id,
                  epoch,
                  model.sha256(),
                  i,
                  count,
                  stages.get(i).firstLayer(),
                  stages.get(i).endLayer(),
                  holder,
                  previous.relayed(relayed.test(previous.nodeId(), holder.nodeId())),
                  next.relayed(relayed.test(holder.nodeId(), next.nodeId())),
                  expiry);
            })
        .toList();
  }

  private void become(State next, Instant now) {
    if (state != next) {
      state = next;
      since = now;
    }
  }

  /** For people: {@code desk 0-7, rack 8-15}. */
  String layers() {
    return String.join(
        ", ",
        plan.stages().stream()
            .map(
                stage -> stage.nodeName() + " " + stage.firstLayer() + "-" + (stage.endLayer() - 1))
            .toList());
  }
}
