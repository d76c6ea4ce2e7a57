package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.inference.GenerationRequest;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiPredicate;

/** The requests that nodes are at. Thread-safe. */
final class RunningRequests {
  private final Set<ActiveRequest> requests = ConcurrentHashMap.newKeySet();

  /** Notes that a node has begun with a request. */
  void began(ActiveRequest request) {
    requests.add(request);
  }

  /** Notes that no node is at a request any more. */
  void ended(ActiveRequest request) {
    requests.remove(request);
  }

  /** How many each node is at, by its id. */
  Map<String, Integer> byNode() {
    Map<String, Integer> counts = new HashMap<>();
    for (ActiveRequest request : requests) {
      request.nodeId().ifPresent(nodeId -> counts.merge(nodeId, 1, Integer::sum));
    }
    return counts;
  }

  /** As {@link ActiveRequest#endIfLate}. */
  void endLate() {
    requests.forEach(ActiveRequest::endIfLate);
  }

  /** As {@link ActiveRequest#leave}. */
  void leave(Set<String> nodeIds) {
    requests.forEach(request -> request.leave(nodeIds));
  }

  /** As {@link ActiveRequest#leaveUnless}. */
  void leaveUnless(BiPredicate<GenerationRequest, String> maySee) {
    requests.forEach(request -> request.leaveUnless(maySee));
  }
}
