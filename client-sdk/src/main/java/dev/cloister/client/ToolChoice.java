package dev.cloister.client;

/** Whether and which tools a model calls. */
public sealed interface ToolChoice {

  /** The model decides. */
  record Auto() implements ToolChoice {}

  /** It calls none, though it sees them. */
  record None() implements ToolChoice {}

  /** It calls at least one. */
  record Required() implements ToolChoice {}

  /** It calls this one. */
  record Named(String name) implements ToolChoice {}

  /** The model decides. */
  static ToolChoice auto() {
    return new Auto();
  }

  /** It calls none, though it sees them. */
  static ToolChoice none() {
    return new None();
  }

  /** It calls at least one. */
  static ToolChoice required() {
    return new Required();
  }

  /** It calls this one. */
  static ToolChoice named(String name) {
    return new Named(name);
  }
}
