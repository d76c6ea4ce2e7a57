package dev.cloister.coordinator.gateway.openai;

import dev.cloister.coordinator.inference.GenerationSink;

/**
 * What a caller gets: one or more choices, each of them a generation of its own. The events of
 * different choices come from different threads; whoever cancels a generation holds no lock of the
 * answer.
 */
sealed interface Answer permits StreamedAnswer, WholeAnswer {

  /** Takes the events of a choice; they count from 0. */
  GenerationSink choice(int index);
}
