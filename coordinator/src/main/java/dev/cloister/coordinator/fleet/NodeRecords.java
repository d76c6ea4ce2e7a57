package dev.cloister.coordinator.fleet;

import java.util.Map;

/** Keeps what is remembered of nodes. A call that returned is durable. Thread-safe. */
public interface NodeRecords {
  /** All that was put, by the node's id. */
  Map<String, NodeSettings> all();

  /** Keeps what is known of a node that joined, in place of what was. */
  void put(String nodeId, NodeSettings settings);
}
