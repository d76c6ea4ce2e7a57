package dev.cloister.engine.stage;

import java.util.function.Consumer;

/**
 * A stage of a split model, as whoever carries its frames sees it. Thread-safe; no call waits for
 * anything to be computed.
 */
public interface RingStage {

  /** Begins a connection, with empty sequences. The one before is told nothing any more. */
  Inlet connect(Outlet outlet);

  /**
   * Has whether a step has come round the ring told, whenever that changes, on the stage's thread.
   * Only the first stage learns it.
   */
  void onClosed(Consumer<Boolean> listener);

  /** Where frames go in. */
  interface Inlet {

    /** Gives the next frame, whose buffer must stay as it is until the frame was taken. */
    void give(StageFrame frame);

    /** Tells that there are no more frames. */
    void end();
  }

  /** Where frames come out, on the stage's thread. */
  interface Outlet {

    /** Sends a frame; its buffer is used again when this has returned. */
    void send(StageFrame frame);

    /** Tells that a frame was taken, so that another one may come. */
    void taken();

    /** Ends the connection: the stage before sent what it must not; the reason is one sentence. */
    void refuse(String reason);
  }
}
