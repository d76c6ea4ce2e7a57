package dev.cloister.coordinator.placement;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** What a model is missing to be placed, in parts of sentences. */
final class Shortfall {
  private static final Comparator<Offer> LARGEST =
      Comparator.comparingLong(Offer::freeBytes).reversed();

  private Shortfall() {}

  /** Why no single node holds all of it. */
  static String ofSingleNode(Demand demand, List<Offer> nodes) {
    List<Offer> holding = nodes.stream().filter(node -> node.holds(demand.whole())).toList();
    if (!holding.isEmpty()) {
      return "the native library of no node that could hold %s runs it whole (%s)"
          .formatted(demand.name(), libraries(holding));
    }
    Optional<Offer> largest = nodes.stream().min(LARGEST);
    StageMemory whole = demand.whole();
    long need = largest.map(node -> node.here(whole)).orElse(whole).totalBytes();
    return largest.isEmpty()
        ? "%s needs %s of memory and no node takes work".formatted(demand.name(), size(need))
        : "no single node can hold %s, which needs %s: %s has %s, %s less"
            .formatted(
                demand.name(),
                size(need),
                largest.get().nodeName(),
                size(largest.get().freeBytes()),
                size(Math.max(0, need - largest.get().freeBytes())));
  }

  /** Why these nodes are no pipeline though they have the memory. */
  static String ofLibraries(List<Offer> nodes) {
    return "not enough nodes have the same native library, and one that runs its parts (%s);"
            .formatted(libraries(nodes))
        + " install a newer one on all of them with: cloister engine install llama.cpp";
  }

  private static String libraries(List<Offer> nodes) {
    return nodes.stream()
        .map(
            node ->
                "%s has %s"
                    .formatted(
                        node.nodeName(),
                        node.library().isEmpty() ? "an unknown one" : node.library()))
        .collect(Collectors.joining(", "));
  }

  /** Why these nodes do not hold it between them. */
  static String together(Demand demand, List<Offer> nodes) {
    if (nodes.size() < 2) {
      return "there are no two nodes that could hold a part of it each";
    }
    long free = free(nodes);
    long need = need(demand, nodes.size());
    return free < need
        ? "%d nodes together have %s free for it, where %s are needed: %s are missing"
            .formatted(nodes.size(), size(free), size(need), size(need - free))
        : "the %s that %d nodes have free together are in pieces too small for its layers"
            .formatted(size(free), nodes.size());
  }

  /** Why it is not split over so many nodes. */
  static String over(int wanted, Demand demand, List<Offer> nodes) {
    if (demand.layout().cuts().size() < wanted) {
      return "%s has %d layers it can be cut at; it cannot be split over %d nodes"
          .formatted(demand.name(), demand.layout().cuts().size(), wanted);
    }
    if (nodes.size() < wanted) {
      return "%s is to be split over %d nodes, and %d %s online: %s"
          .formatted(
              demand.name(),
              wanted,
              nodes.size(),
              nodes.size() == 1 ? "is" : "are",
              tooFew(wanted, demand, nodes));
    }
    List<Offer> largest = nodes.stream().sorted(LARGEST).limit(wanted).toList();
    return "%s cannot be split over %d nodes: %s"
        .formatted(demand.name(), wanted, together(demand, largest));
  }

  private static String tooFew(int wanted, Demand demand, List<Offer> nodes) {
    long free = free(nodes);
    long need = need(demand, wanted);
    int missing = wanted - nodes.size();
    return "they have %s free for it, where %s are needed: %s"
        .formatted(
            size(free),
            size(need),
            free < need
                ? size(need - free) + " are missing"
                : "memory is not missing, but %s with %s free %s"
                    .formatted(
                        missing == 1 ? "one more node" : missing + " more nodes",
                        size(smallestStage(demand)),
                        missing == 1 ? "is" : "each are"));
  }

  private static long free(List<Offer> nodes) {
    return nodes.stream().mapToLong(Offer::freeBytes).sum();
  }

  /** Of all stages, with a process each. */
  private static long need(Demand demand, int stages) {
    StageMemory whole = demand.whole();
    return whole.deviceBytes() + whole.shelfBytes() + stages * whole.processBytes();
  }

  private static long smallestStage(Demand demand) {
    int[] boundaries = demand.boundaries();
    long smallest = Long.MAX_VALUE;
    for (int i = 1; i < boundaries.length; i++) {
      smallest = Math.min(smallest, demand.memory(boundaries[i - 1], boundaries[i]).totalBytes());
    }
    return smallest;
  }

  private static String size(long bytes) {
    return bytes < 1L << 30
        ? String.format(Locale.ROOT, "%.0f MiB", bytes / (double) (1 << 20))
        : String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1 << 30));
  }
}
