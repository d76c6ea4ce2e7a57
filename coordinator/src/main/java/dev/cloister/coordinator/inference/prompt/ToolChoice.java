package dev.cloister.coordinator.inference.prompt;

/** Whether and which tools a model calls. */
public sealed interface ToolChoice {

  /** The model decides. */
  record Auto() implements ToolChoice {}

  /** It calls none. */
  record None() implements ToolChoice {}

  /** It calls at least one. */
  record Required() implements ToolChoice {}

  /** It calls this one. */
  record Named(String name) implements ToolChoice {}
}
