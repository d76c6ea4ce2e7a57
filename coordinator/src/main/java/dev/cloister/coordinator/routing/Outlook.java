package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.fleet.NodeView;
import java.util.List;
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

  /** The ids of the nodes that answer for the model together; empty where one alone does. */
  List<String> ring(String model);
}
