package dev.cloister.coordinator.placement;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.fleet.Capability;
import java.util.List;

/** Decides what a node should have loaded. */
public final class Placement {
  /** Requests a node answers at once; what is beyond waits in its engine's queue. */
  public static final int SLOTS = 4;

  /**
   * What a loaded model needs beyond its file: KV cache, compute buffers and the engine process, as
   * a factor on the file and as a constant.
   */
  private static final double OVERHEAD_FACTOR = 1.2;

  private static final long OVERHEAD_BYTES = 256L << 20;

  private Placement() {}

  /**
   * The models that fit the node, smallest first, until its memory is used up: the cluster serves
   * every model from as many nodes as can hold it.
   */
  public static List<Model> assign(Capability node, List<Model> catalog) {
    long[] left = {node.memoryAvailableBytes()};
    return catalog.stream()
        .sorted((a, b) -> Long.compare(a.sizeBytes(), b.sizeBytes()))
        .filter(
            model -> {
              long need = neededBytes(model);
              if (need > left[0]) {
                return false;
              }
              left[0] -= need;
              return true;
            })
        .toList();
  }

  /** Memory that a loaded model takes, estimated from its file's size. */
  public static long neededBytes(Model model) {
    return (long) (model.sizeBytes() * OVERHEAD_FACTOR) + OVERHEAD_BYTES;
  }
}
