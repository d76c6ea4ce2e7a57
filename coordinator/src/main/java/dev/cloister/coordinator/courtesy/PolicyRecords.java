package dev.cloister.coordinator.courtesy;

import java.util.Map;

/** Keeps what administrators said. A call that returned is durable. Thread-safe. */
public interface PolicyRecords {
  /** All that was put, by the node's id; {@link Policies#ALL} for all nodes. */
  Map<String, CourtesyPolicy> all();

  /** Keeps what is said of a node, or of all, in place of what was. */
  void put(String nodeId, CourtesyPolicy said);
}
