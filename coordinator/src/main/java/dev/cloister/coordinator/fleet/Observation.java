package dev.cloister.coordinator.fleet;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What was seen of a node; immutable. */
record Observation(
    NodeState state,
    @Nullable NodeSession session,
    Instant lastSeen,
    String agentVersion,
    Capability capability,
    String peerAddress,
    @Nullable Load load,
    Optional<Drain> pause,
    Set<String> former,
    Map<String, Replica> replicas) {

  /** A session is itself and nothing else. */
  @SuppressWarnings("ReferenceEquality")
  boolean isOf(NodeSession other) {
    return session == other;
  }

  Observation with(Instant now, Load newLoad) {
    return new Observation(
        state,
        session,
        now,
        agentVersion,
        capability,
        peerAddress,
        newLoad,
        pause,
        former,
        replicas);
  }

  Observation with(Capability newCapability) {
    return new Observation(
        state,
        session,
        lastSeen,
        agentVersion,
        newCapability,
        peerAddress,
        load,
        pause,
        former,
        replicas);
  }

  Observation with(Instant now, Replica replica) {
    Map<String, Replica> all = new LinkedHashMap<>(replicas);
    all.put(replica.model(), replica);
    return with(now, all);
  }

  Observation without(String model) {
    Map<String, Replica> others = new LinkedHashMap<>(replicas);
    others.remove(model);
    return with(lastSeen, others);
  }

  private Observation with(Instant seen, Map<String, Replica> all) {
    return new Observation(
        state,
        session,
        seen,
        agentVersion,
        capability,
        peerAddress,
        load,
        pause,
        former,
        Map.copyOf(all));
  }

  Observation with(Optional<Drain> newPause) {
    return new Observation(
        state,
        session,
        lastSeen,
        agentVersion,
        capability,
        peerAddress,
        load,
        newPause,
        former,
        replicas);
  }

  Observation ended(NodeState how) {
    return new Observation(
        how,
        null,
        lastSeen,
        agentVersion,
        capability,
        peerAddress,
        load,
        Optional.empty(),
        replicas.keySet(),
        Map.of());
  }
}
