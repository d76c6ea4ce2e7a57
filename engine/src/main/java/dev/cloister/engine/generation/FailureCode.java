package dev.cloister.engine.generation;

/** Why there is no answer, or no more of it. */
public enum FailureCode {
  /** The request is wrong; repeating it is useless. */
  INVALID_REQUEST,
  /** The prompt does not fit the model's context; repeating it is useless. */
  CONTEXT_LENGTH_EXCEEDED,
  /** This model, or the native library in use, cannot do it; repeating it is useless. */
  UNSUPPORTED,
  /** All slots are busy and the queue is full; a repetition may succeed. */
  NO_CAPACITY,
  /** A stage of the model is not there (any more); a repetition may succeed. */
  STAGE_LOST,
  /** A defect; a repetition may succeed. */
  INTERNAL
}
