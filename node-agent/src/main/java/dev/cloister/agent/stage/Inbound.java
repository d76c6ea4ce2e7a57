package dev.cloister.agent.stage;

import io.grpc.Status;

/** The stream of the stage before. Until it is joined no frame of it is taken. Thread-safe. */
interface Inbound {
  /** Gives its frames to a joint. */
  void join(StageJoint joint);

  /** Takes so many frames more. */
  void request(int frames);

  /**
   * Ends it.
   *
   * @param status told to the other side, where that hears of it
   */
  void close(Status status);
}
