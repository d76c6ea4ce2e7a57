package dev.cloister.coordinator.fakes;

import dev.cloister.coordinator.fleet.NodeRecords;
import dev.cloister.coordinator.fleet.NodeSettings;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What is remembered of nodes, and forgotten with the test. */
public final class MemoryNodeRecords implements NodeRecords {
  private final Map<String, NodeSettings> settings = new ConcurrentHashMap<>();

  @Override
  public Map<String, NodeSettings> all() {
    return Map.copyOf(settings);
  }

  @Override
  public void put(String nodeId, NodeSettings known) {
    settings.put(nodeId, known);
  }
}
