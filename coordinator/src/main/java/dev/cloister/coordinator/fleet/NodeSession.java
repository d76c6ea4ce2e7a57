package dev.cloister.coordinator.fleet;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.inference.EngineSink;
import dev.cloister.coordinator.inference.GenerationRequest;

/**
 * What the coordinator can ask of a connected agent. Thread-safe; no method blocks. After {@link
 * #close} all methods do nothing, except that {@link #start} fails at once.
 */
public interface NodeSession {
  /**
   * Have the model loaded, with its options; repeating it changes nothing, other options replace
   * the engine.
   *
   * @param slots requests it is to answer at the same time
   */
  void serve(Model model, int slots);

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
