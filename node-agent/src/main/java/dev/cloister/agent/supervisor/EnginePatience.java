package dev.cloister.agent.supervisor;

import java.time.Duration;

/**
 * How long an engine's process may take.
 *
 * @param start to open its socket
 * @param silence to give a sign of life when it is asked for one, which is done as often; one that
 *     gives none twice is ended
 */
record EnginePatience(Duration start, Duration silence) {
  static final EnginePatience DEFAULT =
      new EnginePatience(Duration.ofSeconds(60), Duration.ofSeconds(5));
}
