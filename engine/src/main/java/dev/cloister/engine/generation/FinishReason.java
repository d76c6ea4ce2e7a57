package dev.cloister.engine.generation;

/** Why an answer ended. */
public enum FinishReason {
  /** The model ended it, or a stop sequence came up. */
  STOP,
  /** The most tokens asked for were generated, or the context was full. */
  LENGTH,
  /** The model called tools. */
  TOOL_CALLS,
  /** The caller went away. */
  CANCELLED
}
