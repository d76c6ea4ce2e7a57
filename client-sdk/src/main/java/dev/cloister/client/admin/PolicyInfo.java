package dev.cloister.client.admin;

import java.util.List;
import java.util.Optional;

/**
 * Who says what of when machines work. Point by point, what is set for one node counts before what
 * is set for all, and this before what the coordinator was started with. Where the owner of a node
 * is stricter, the owner counts.
 *
 * @param initial what the coordinator was started with, and what is built in
 * @param all set for all nodes
 * @param nodes every node, by name
 */
public record PolicyInfo(Courtesy initial, Courtesy all, List<Node> nodes) {
  public PolicyInfo {
    nodes = List.copyOf(nodes);
  }

  /**
   * What is said of one node.
   *
   * @param own set for it
   * @param owner what its owner says; empty if it was not here since the coordinator started
   */
  public record Node(String id, String name, Courtesy own, Optional<Courtesy> owner) {}
}
