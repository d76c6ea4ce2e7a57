package dev.cloister.coordinator.courtesy;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What administrators say of when machines work: point by point, what is said of one machine counts
 * before what is said of all, and this before what the coordinator was started with. Agents that
 * are there hear of each change. Thread-safe.
 */
public final class Policies {
  private static final Logger log = LoggerFactory.getLogger(Policies.class);

  /** In place of a node's id: all nodes. */
  public static final String ALL = "";

  private final CourtesyPolicy initial;
  private final PolicyRecords records;
  private final Map<String, CourtesyPolicy> said;
  private final Map<String, CourtesyPolicy> owners = new HashMap<>();
  private final Map<String, Consumer<CourtesyPolicy>> agents = new HashMap<>();

  /**
   * @param initial what the coordinator was started with
   */
  public Policies(CourtesyPolicy initial, PolicyRecords records) {
    this.initial = initial;
    this.records = records;
    this.said = new HashMap<>(records.all());
  }

  /**
   * Has an agent told what its machine is to keep to, now and whenever that changes.
   *
   * @param owner what the machine's owner says
   * @param agent must not block
   */
  public synchronized void follow(
      String nodeId, CourtesyPolicy owner, Consumer<CourtesyPolicy> agent) {
    owners.put(nodeId, owner);
    agents.put(nodeId, agent);
    agent.accept(of(nodeId));
  }

  /** Has an agent told nothing more, unless another one took its place. */
  public synchronized void leave(String nodeId, Consumer<CourtesyPolicy> agent) {
    agents.remove(nodeId, agent);
  }

  /**
   * Says something of a node, or of {@link #ALL}.
   *
   * @param policy on what it says nothing, what was said before stays
   * @param reset forgets first what was said before
   */
  public synchronized void say(String nodeId, CourtesyPolicy policy, boolean reset) {
    CourtesyPolicy next = reset ? policy : policy.orElse(said(nodeId));
    records.put(nodeId, next);
    said.put(nodeId, next);
    log.info("{}: {}", nodeId.equals(ALL) ? "all nodes" : "node " + nodeId, next);
    agents.forEach((id, agent) -> agent.accept(of(id)));
  }

  /** What a machine is to keep to, unless its owner is stricter. */
  public synchronized CourtesyPolicy of(String nodeId) {
    return said(nodeId).orElse(said(ALL)).orElse(initial);
  }

  /** What was said of a node, or of {@link #ALL}. */
  public synchronized CourtesyPolicy said(String nodeId) {
    return said.getOrDefault(nodeId, CourtesyPolicy.NONE);
  }

  /** What a node's owner says; empty if it was not here since the coordinator started. */
  public synchronized Optional<CourtesyPolicy> owner(String nodeId) {
    return Optional.ofNullable(owners.get(nodeId));
  }

  /** What the coordinator was started with. */
  public CourtesyPolicy initial() {
    return initial;
  }
}
