package dev.cloister.coordinator.placement;

import dev.cloister.coordinator.placement.LayerRanges.Aim;
import dev.cloister.coordinator.placement.LayerRanges.Range;
import dev.cloister.coordinator.placement.PipelinePlan.PlannedStage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Decides over which nodes a model's layers are spread.
 *
 * <p>A model is split where that was asked for, or where no single node can hold it. Every way is
 * weighed by what {@link Prediction} says; layer ranges come from {@link LayerRanges}, for several
 * orders of the nodes. Pure and thread-safe.
 */
public final class Planner {
  private static final int MOST_ALTERNATIVES = 8;

  /** The smallest of larger fleets are not looked at, so that no plan takes more than seconds. */
  private static final int MOST_NODES = 64;

  /** More would only add hops, where nobody asked for them. */
  private static final int MOST_STAGES_UNASKED = 16;

  /** Predictions closer than this are the same: then what many answers at once get decides. */
  private static final double SAME = 1.05;

  private static final Comparator<PipelinePlan> MOST_TOKENS =
      Comparator.comparingDouble(PipelinePlan::totalTokensPerSecond)
          .reversed()
          .thenComparingDouble(PipelinePlan::secondsPerToken)
          .thenComparingInt(plan -> plan.stages().size());

  private static final Comparator<Offer> FASTEST =
      Comparator.<Offer>comparingDouble(
              node -> Math.max(node.ramBytesPerSecond(), node.gpuBytesPerSecond()))
          .reversed()
          .thenComparing(Offer::nodeName);

  private static final Comparator<Offer> LARGEST =
      Comparator.comparingLong(Offer::freeBytes).reversed().thenComparing(Offer::nodeName);

  private static final String NOBODY = "";

  private Planner() {}

  /** The best plan for a model on these nodes, with what else was weighed. */
  public static Proposal plan(Demand demand, List<Offer> nodes, Network network) {
    List<PipelinePlan> whole = whole(demand, nodes, network);
    boolean forced = demand.split().isPresent();
    int wanted = demand.split().orElse(0);
    if (wanted == 1) {
      return ofWhole(demand, nodes, whole, List.of(), "it is never to be split");
    }
    Optional<String> uncut = demand.layout().cannotSplit();
    boolean impossible = demand.layout().cuts().size() == 1;
    if (impossible || (uncut.isPresent() && !demand.force())) {
      String why = uncut.orElse("its layers cannot be told apart");
      return forced
          ? new Proposal(
              Optional.empty(),
              whole,
              "%s %s split: %s%s"
                  .formatted(
                      demand.name(),
                      impossible ? "cannot be" : "is not",
                      why,
                      impossible ? "" : "; add --force to split it nevertheless"))
          : ofWhole(demand, nodes, whole, List.of(), "it cannot be split: " + why);
    }
    List<PipelinePlan> split = split(demand, nodes, network);
    if (!forced) {
      return whole.isEmpty()
          ? ofSplit(demand, nodes, split, network)
          : ofWhole(demand, nodes, whole, split, faster(whole, split));
    }
    List<PipelinePlan> asked =
        split.stream().filter(plan -> plan.stages().size() == wanted).sorted(MOST_TOKENS).toList();
    if (asked.isEmpty()) {
      boolean mixed =
          splitOver(demand, anyLibrary(nodes), network).stream()
              .anyMatch(plan -> plan.stages().size() == wanted);
      return new Proposal(
          Optional.empty(),
          whole,
          mixed
              ? "%s cannot be split over %d nodes: %s"
                  .formatted(demand.name(), wanted, Shortfall.ofLibraries(nodes))
              : Shortfall.over(wanted, demand, nodes));
    }
    List<PipelinePlan> others = new ArrayList<>(whole);
    others.addAll(split);
    return proposal(
        asked.getFirst(),
        others,
        "a split over %d nodes was asked for%s%s"
            .formatted(
                wanted,
                uncut.map(why -> ", unproved, forced (" + why + ")").orElse(""),
                whole.isEmpty()
                    ? ", and no single node can hold it"
                    : "; " + compared(asked.getFirst(), whole.getFirst())));
  }

  /**
   * Whether all nodes of a plan are among these, with one native library that runs their layers.
   */
  public static boolean stands(Demand demand, PipelinePlan plan, List<Offer> nodes) {
    return byLibrary(nodes).stream()
        .anyMatch(
            same ->
                plan.stages().stream()
                    .allMatch(
                        stage ->
                            same.stream()
                                .anyMatch(
                                    node ->
                                        node.nodeId().equals(stage.nodeId())
                                            && runs(demand, stage, node))));
  }

  private static boolean runs(Demand demand, PlannedStage stage, Offer node) {
    return demand.runsOn(node.library(), stage.firstLayer(), stage.endLayer());
  }

  /**
   * A plan whose stages hold what those of a former one did, where nodes of that are gone: others
   * take their places, and as many as can stay where they are.
   */
  public static Optional<PipelinePlan> repair(
      Demand demand, PipelinePlan former, List<Offer> nodes, Network network) {
    return repair(
        demand,
        former.stages().stream()
            .map(stage -> new Held(stage.nodeId(), stage.firstLayer(), stage.endLayer()))
            .toList(),
        nodes,
        network);
  }

  /**
   * Layers that a node has loaded.
   *
   * @param endLayer behind the last one
   */
  public record Held(String nodeId, int firstLayer, int endLayer) {}

  /**
   * A plan in which nodes keep the stages of a former one that they have, and others take what
   * nobody has of it.
   *
   * @param held in any order; nothing of it has to be true
   * @return empty if it does not go together, or nobody can take the rest
   */
  public static Optional<PipelinePlan> around(
      Demand demand, List<Held> held, List<Offer> nodes, Network network) {
    List<Held> stages = new ArrayList<>();
    int next = 0;
    for (Held stage : held.stream().sorted(Comparator.comparingInt(Held::firstLayer)).toList()) {
      if (stage.firstLayer() > next) {
        stages.add(new Held(NOBODY, next, stage.firstLayer()));
      } else if (stage.firstLayer() < next) {
        return Optional.empty();
      }
      stages.add(stage);
      next = stage.endLayer();
    }
    if (next < demand.layers()) {
      stages.add(new Held(NOBODY, next, demand.layers()));
    }
    Set<Integer> cuts = IntStream.of(demand.boundaries()).boxed().collect(Collectors.toSet());
    boolean fits =
        stages.size() > 1
            && stages.size() == demand.split().orElse(stages.size())
            && stages.stream().allMatch(stage -> cuts.contains(stage.endLayer()));
    return fits ? repair(demand, stages, nodes, network) : Optional.empty();
  }

  private static Optional<PipelinePlan> repair(
      Demand demand, List<Held> former, List<Offer> nodes, Network network) {
    return byLibrary(nodes).stream()
        .flatMap(same -> repairOver(demand, former, same, network).stream())
        .max(Comparator.comparingLong(plan -> kept(former, plan)));
  }

  private static long kept(List<Held> former, PipelinePlan plan) {
    return IntStream.range(0, plan.stages().size())
        .filter(i -> plan.stages().get(i).nodeId().equals(former.get(i).nodeId()))
        .count();
  }

  private static Optional<PipelinePlan> repairOver(
      Demand demand, List<Held> former, List<Offer> nodes, Network network) {
    Map<String, Offer> spare = new LinkedHashMap<>();
    nodes.stream().sorted(FASTEST).forEach(node -> spare.put(node.nodeId(), node));
    List<Optional<Offer>> stayed =
        former.stream().map(stage -> Optional.ofNullable(spare.remove(stage.nodeId()))).toList();
    List<Range> ranges = new ArrayList<>();
    for (int i = 0; i < stayed.size(); i++) {
      int first = former.get(i).firstLayer();
      int end = former.get(i).endLayer();
      StageMemory need = demand.memory(first, end);
      Optional<Offer> node =
          Stream.concat(stayed.get(i).stream(), spare.values().stream())
              .filter(offer -> offer.holds(need) && demand.runsOn(offer.library(), first, end))
              .findFirst();
      if (node.isEmpty()) {
        return Optional.empty();
      }
      spare.remove(node.get().nodeId());
      ranges.add(new Range(node.get(), first, end));
    }
    return Optional.of(Prediction.of(demand, network, ranges));
  }

  /** The single nodes that hold all of it, the best first. */
  private static List<PipelinePlan> whole(Demand demand, List<Offer> nodes, Network network) {
    return nodes.stream()
        .filter(node -> node.holds(demand.whole()) && demand.runsOn(node.library()))
        .map(node -> Prediction.of(demand, network, List.of(new Range(node, 0, demand.layers()))))
        .sorted(MOST_TOKENS)
        .toList();
  }

  /** Libraries round differently: one plan's stages have the same. */
  private static List<PipelinePlan> split(Demand demand, List<Offer> all, Network network) {
    return best(
        byLibrary(all).stream()
            .flatMap(nodes -> splitOver(demand, nodes, network).stream())
            .collect(Collectors.toCollection(LinkedHashSet::new)));
  }

  private static Collection<List<Offer>> byLibrary(List<Offer> nodes) {
    return nodes.stream()
        .collect(Collectors.groupingBy(Offer::library, TreeMap::new, Collectors.toList()))
        .values();
  }

  private static Set<PipelinePlan> splitOver(Demand demand, List<Offer> all, Network network) {
    List<Offer> nodes = all.stream().sorted(LARGEST).limit(MOST_NODES).toList();
    int most =
        Math.min(
            Math.min(nodes.size(), demand.layout().cuts().size()),
            Math.max(MOST_STAGES_UNASKED, demand.split().orElse(0)));
    Set<PipelinePlan> found = new LinkedHashSet<>();
    for (Aim aim : Aim.values()) {
      LayerRanges ranges = new LayerRanges(demand, network, aim);
      for (Comparator<Offer> order :
          List.of(FASTEST, FASTEST.reversed(), LARGEST, LARGEST.reversed())) {
        for (List<Range> way : ranges.over(nodes.stream().sorted(order).toList(), most)) {
          found.add(Prediction.of(demand, network, way));
        }
      }
    }
    return found;
  }

  /** Who answers one alone soonest stands first; among equals, who makes most in all. */
  private static List<PipelinePlan> best(Set<PipelinePlan> plans) {
    double soonest = plans.stream().mapToDouble(PipelinePlan::secondsPerToken).min().orElse(0);
    return plans.stream()
        .sorted(
            Comparator.<PipelinePlan, Boolean>comparing(
                    plan -> plan.secondsPerToken() > soonest * SAME)
                .thenComparing(MOST_TOKENS))
        .toList();
  }

  private static Proposal ofWhole(
      Demand demand,
      List<Offer> nodes,
      List<PipelinePlan> whole,
      List<PipelinePlan> others,
      String why) {
    if (whole.isEmpty()) {
      return new Proposal(
          Optional.empty(),
          others,
          "%s, and %s".formatted(Shortfall.ofSingleNode(demand, nodes), why));
    }
    List<PipelinePlan> all = new ArrayList<>(whole);
    all.addAll(others);
    return proposal(
        whole.getFirst(),
        all,
        "%s holds it whole, and %s"
            .formatted(whole.getFirst().stages().getFirst().nodeName(), why));
  }

  private static Proposal ofSplit(
      Demand demand, List<Offer> nodes, List<PipelinePlan> split, Network network) {
    if (split.isEmpty()) {
      boolean mixed = !splitOver(demand, anyLibrary(nodes), network).isEmpty();
      return new Proposal(
          Optional.empty(),
          List.of(),
          "%s, and %s"
              .formatted(
                  Shortfall.ofSingleNode(demand, nodes),
                  mixed
                      ? "it cannot be split: " + Shortfall.ofLibraries(nodes)
                      : Shortfall.together(demand, nodes)));
    }
    PipelinePlan plan = split.getFirst();
    String library = library(plan, nodes);
    long alike = nodes.stream().filter(node -> node.library().equals(library)).count();
    long spare = alike - plan.stages().size();
    return proposal(
        plan,
        split,
        Shortfall.ofSingleNode(demand, nodes)
            + (spare == 0
                ? "; all %d nodes together can".formatted(alike)
                : "; %d nodes together can, and %s would not make it faster"
                    .formatted(plan.stages().size(), spare == 1 ? "one more" : spare + " more")));
  }

  /** The one that all its nodes have. */
  private static String library(PipelinePlan plan, List<Offer> nodes) {
    String first = plan.stages().getFirst().nodeId();
    return nodes.stream()
        .filter(node -> node.nodeId().equals(first))
        .findFirst()
        .orElseThrow()
        .library();
  }

  /** As if it did not matter which library they have. */
  private static List<Offer> anyLibrary(List<Offer> nodes) {
    return nodes.stream().map(node -> node.withLibrary("")).toList();
  }

  private static Proposal proposal(PipelinePlan plan, List<PipelinePlan> others, String reason) {
    return new Proposal(
        Optional.of(plan),
        others.stream().filter(other -> !other.equals(plan)).limit(MOST_ALTERNATIVES).toList(),
        reason);
  }

  private static String faster(List<PipelinePlan> whole, List<PipelinePlan> split) {
    return split.isEmpty()
        ? "there is no way to split it over these nodes"
        : compared(whole.getFirst(), split.getFirst());
  }

  private static String compared(PipelinePlan plan, PipelinePlan other) {
    return String.format(
        Locale.ROOT,
        "it makes about %.1f tokens/s in one answer and %.1f in all slots, %s %.1f and %.1f",
        1 / plan.secondsPerToken(),
        plan.totalTokensPerSecond(),
        other.isWhole()
            ? other.stages().getFirst().nodeName() + " alone"
            : "a split over " + other.stages().size() + " nodes",
        1 / other.secondsPerToken(),
        other.totalTokensPerSecond());
  }
}
