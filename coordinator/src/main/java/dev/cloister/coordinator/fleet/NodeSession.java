package dev.cloister.coordinator.fleet;

import dev.cloister.coordinator.inference.EngineSink;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.ticket.PlanTicket;

/**
 * What the coordinator can ask of a connected agent. Thread-safe; no method blocks. After {@link
 * #close} all methods do nothing, except that {@link #start} fails at once.
 */
public interface NodeSession {
  /**
   * Have the model loaded, with its options; repeating it changes nothing, other options replace
   * the engine.
   */
  void serve(Assignment assignment);

  /** Have the model's engine ended. */
  void drop(String model);

  /** Open the streams of a stage, in place of those of a lower epoch. */
  void connect(String model, PlanTicket ticket);

  /**
   * Measure the way to another node.
   *
   * @param payloadBytes to be sent at once at most, to learn the rate; 0: the round trip alone
   */
  void measure(Neighbour node, int payloadBytes);

  /** As {@link #measure}, the way to the coordinator. */
  void measureToCoordinator(int payloadBytes);

  /** Whether a generation is under way. */
  boolean isAnswering();

  /**
   * Starts a generation. If the session ends first, the sink gets a failure with code {@code
   * NODE_LOST}.
   */
  void start(GenerationRequest request, EngineSink sink);

  /** Stops a generation; the sink gets nothing more. Unknown requests are ignored. */
  void cancel(String requestId);

  /**
   * Ends the session; what runs on it fails.
   *
   * @param reason one sentence, for the agent's log
   */
  void close(String reason);
}
