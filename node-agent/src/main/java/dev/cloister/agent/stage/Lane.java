package dev.cloister.agent.stage;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Frames from where they come to where they go. No more than {@link #UNDERWAY} are asked for before
 * the sink takes more: one can be received while another is being sent. Thread-safe.
 */
final class Lane {
  static final int UNDERWAY = 2;

  private final Sink sink;
  private @Nullable IntConsumer source;
  private int owed = UNDERWAY;
  private boolean ended;

  Lane(Sink sink) {
    this.sink = sink;
  }

  /**
   * Opens the lane.
   *
   * @param source is asked for so many frames more
   */
  synchronized void open(IntConsumer source) {
    this.source = source;
    requestOwed();
  }

  /** The sink takes more again. */
  synchronized void ready() {
    requestOwed();
  }

  /** A frame has come from the source. */
  synchronized void pass(InputStream frame) {
    if (ended) {
      discard(frame);
      return;
    }
    sink.send(frame);
    owed++;
    requestOwed();
  }

  /** Nothing is sent from now on. */
  synchronized void end() {
    ended = true;
  }

  private void requestOwed() {
    if (owed > 0 && !ended && source != null && sink.isReady()) {
      int count = owed;
      owed = 0;
      source.accept(count);
    }
  }

  private static void discard(InputStream frame) {
    try {
      frame.close();
    } catch (IOException e) {
      throw new UncheckedIOException("a buffer in memory cannot be closed", e);
    }
  }

  /** Where frames go. */
  interface Sink {
    /** Whether a frame would leave now rather than wait. */
    boolean isReady();

    void send(InputStream frame);
  }
}
