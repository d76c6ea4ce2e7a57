package dev.cloister.coordinator.relay;

import java.io.InputStream;

/** One agent's part of a stream through the coordinator. No method blocks. */
public sealed interface Half {

  /**
   * Ends the agent's call; nothing is asked of this half any more.
   *
   * @param reason one sentence
   */
  void end(String reason);

  /** Where pieces come from. Thread-safe. */
  non-sealed interface Sender extends Half {

    /** Asks for so many pieces more. */
    void request(int pieces);
  }

  /** Where pieces go. Used by one thread at a time. */
  non-sealed interface Receiver extends Half {

    /** Whether a piece would leave now rather than wait. */
    boolean isReady();

    /** Takes what a piece holds, before it returns. */
    void send(InputStream piece);
  }
}
