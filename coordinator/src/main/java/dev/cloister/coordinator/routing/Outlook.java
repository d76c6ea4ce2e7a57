package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.fleet.NodeView;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** What is known of models that no node answers for now. Thread-safe; no method blocks. */
public interface Outlook {
  /** Nothing is known. */
  Outlook NONE =
      new Outlook() {
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
      };

  /** Whether nodes are at work so that the model can be answered. */
  boolean isComing(String model);

  /** Why no node will have the model, in one sentence; empty if nothing speaks against it. */
  Optional<String> obstacle(String model);

  /**
   * Is told that a request found no free node; often, and as long as it waits.
   *
   * @param allowed the nodes that may see it
   */
  default void missed(String model, Predicate<NodeView> allowed) {}

  /**
   * Until nodes that do not have a model would have it, in seconds, by model and node. The same map
   * as long as nothing changes.
   */
  default Map<String, Map<String, Double>> loadSeconds() {
    return Map.of();
  }

  /** What requests for models wait for, by model, for people: {@code loading model m on desk}. */
  default Map<String, String> awaited() {
    return Map.of();
  }

  /** Is told that a request would be answered soonest by this node if that loaded the model. */
  default void wanted(String model, String nodeId) {}

  /**
   * Is told that a request can be answered by none of the nodes that have the model; often, and as
   * long as it waits.
   *
   * @param allowed whether a node, by its id, may see it and takes new work
   * @return whether one of those can load the model
   */
  default boolean wantedBySome(String model, Predicate<String> allowed) {
    return false;
  }

  /** Whether a model is about to be unloaded from a node, and gets no new requests there. */
  default boolean isLeaving(String model, String nodeId) {
    return false;
  }

  /** Is told that a request is to begin on a node; whether it may. */
  default boolean begins(String model, String nodeId) {
    return true;
  }

  /** Is told that a request that began on a node ended there. */
  default void ended(String model, String nodeId) {}

  /** The ids of the nodes that answer for the model together; empty where one alone does. */
  List<String> ring(String model);
}
