package dev.cloister.coordinator.inference;

import java.util.List;

/**
 * Takes the events of one generation from the node that makes it, as {@link GenerationSink} does
 * for its caller.
 */
@FunctionalInterface
public interface EngineSink {
  /**
   * Takes the next event.
   *
   * @param tokens made since the event before, with which this one could be told; where the last of
   *     them gave rise to several events, the first has them all. Always empty from engines that do
   *     not know their tokens.
   */
  void accept(GenerationEvent event, List<Integer> tokens);
}
