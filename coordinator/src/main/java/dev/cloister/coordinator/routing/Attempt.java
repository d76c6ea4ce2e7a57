package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.routing.choice.Candidate;
import dev.cloister.coordinator.routing.choice.Decision;
import dev.cloister.coordinator.routing.choice.Work;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A request on one node.
 *
 * @param node as it was when it was chosen
 * @param rest of the answer, which the node is to make
 */
record Attempt(Candidate node, Work work, NodeSession session, GenerationRequest rest) {

  /** A node ended the answer by itself. */
  static final Failed STOPPED =
      new Failed(
          FailureCode.NODE_LOST,
          "the engine that was answering was stopped; send the request again");

  private static final Logger log = LoggerFactory.getLogger(Attempt.class);

  /** Tells the log where the request went, and why. */
  void logStart(Decision decision) {
    log.info(
        "request {} for {} goes to {}: {}", rest.id(), rest.model(), node.nodeName(), decision);
  }

  /**
   * Tells the log why another node goes on.
   *
   * @param tokens that the caller was told
   */
  void logEnd(String why, int tokens) {
    log.info(
        "request {}: {} {}; another node goes on behind {} tokens",
        rest.id(),
        node.nodeName(),
        why,
        tokens);
  }

  String nodeId() {
    return node.nodeId();
  }

  void cancel() {
    session.cancel(rest.id());
  }

  /**
   * Notes a failure that its node, which is there, is to blame for. Of several stages nobody knows
   * which one it was.
   *
   * @return whether it is a new one; an engine that goes down with many requests fails once
   */
  boolean blame(Failed failed, CandidateBook candidates) {
    return failed.code().isOfNode()
        && !failed.equals(STOPPED)
        && !node.host().staged()
        && candidates.failed(rest.model(), node, work, failed.code() == FailureCode.NODE_LOST);
  }
}
