package dev.cloister.coordinator.fakes;

import dev.cloister.coordinator.routing.Outlook;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Knows what a test says of models that could be loaded. Thread-safe. */
public final class FakeOutlook implements Outlook {
  private volatile Map<String, Map<String, Double>> loadSeconds = Map.of();
  private volatile Map<String, String> awaited = Map.of();

  /** Has a node that could load a model, and callers told so. */
  public void loads(String model, String nodeId, double seconds, String words) {
    loadSeconds = Map.of(model, Map.of(nodeId, seconds));
    awaited = Map.of(model, words);
  }

  @Override
  public Map<String, Map<String, Double>> loadSeconds() {
    return loadSeconds;
  }

  @Override
  public Map<String, String> awaited() {
    return awaited;
  }

  @Override
  public boolean isComing(String model) {
    return false;
  }

  @Override
  public Optional<String> obstacle(String model) {
    return Optional.empty();
  }

  @Override
  public List<String> ring(String model) {
    return List.of();
  }
}
