package dev.cloister.coordinator.relay;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One stream through the coordinator. No more than {@link #UNDERWAY} pieces are asked of the sender
 * before the receiver takes more, and none is kept. The end of either half ends the other.
 * Thread-safe.
 */
public final class Relay {
  /** One can be received while another is being sent. */
  static final int UNDERWAY = 2;

  private final String from;
  private final String to;
  private final Instant opened;
  private final Instant expiry;
  private final Counter counter;
  private Half.@Nullable Sender sender;
  private Half.@Nullable Receiver receiver;
  private int owed = UNDERWAY;
  private boolean ended;

  /**
   * @param from the node that sends
   * @param to the node that receives
   * @param expiry of the tickets for it
   * @param counter of its stage
   */
  Relay(String from, String to, Instant opened, Instant expiry, Counter counter) {
    this.from = from;
    this.to = to;
    this.opened = opened;
    this.expiry = expiry;
    this.counter = counter;
  }

  /**
   * @return whether it is the first, and in time
   */
  synchronized boolean attach(Half.Sender half) {
    if (ended || sender != null) {
      return false;
    }
    sender = half;
    begin();
    return true;
  }

  /**
   * @return whether it is the first, and in time
   */
  synchronized boolean attach(Half.Receiver half) {
    if (ended || receiver != null) {
      return false;
    }
    receiver = half;
    begin();
    return true;
  }

  private void begin() {
    if (sender != null && receiver != null) {
      counter.addStream();
      requestOwed();
    }
  }

  /** A piece has come from the sender; it is consumed when this returns. */
  public synchronized void pass(InputStream piece) {
    try (piece) {
      if (!ended && receiver != null) {
        counter.add(piece.available());
        receiver.send(piece);
        owed++;
        requestOwed();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("a buffer in memory cannot be read", e);
    }
  }

  /** The receiver takes more again. */
  public synchronized void ready() {
    requestOwed();
  }

  private void requestOwed() {
    if (owed > 0 && !ended && sender != null && receiver != null && receiver.isReady()) {
      int count = owed;
      owed = 0;
      sender.request(count);
    }
  }

  /**
   * Ends both halves.
   *
   * @param reason one sentence
   * @return whether it had not ended yet
   */
  public boolean end(String reason) {
    Half.@Nullable Sender oneHalf;
    Half.@Nullable Receiver otherHalf;
    synchronized (this) {
      if (ended) {
        return false;
      }
      ended = true;
      oneHalf = sender;
      otherHalf = receiver;
    }
    if (oneHalf != null) {
      oneHalf.end(reason);
    }
    if (otherHalf != null) {
      otherHalf.end(reason);
    }
    return true;
  }

  synchronized boolean isJoined() {
    return sender != null && receiver != null;
  }

  synchronized boolean isEnded() {
    return ended;
  }

  String from() {
    return from;
  }

  String to() {
    return to;
  }

  Instant opened() {
    return opened;
  }

  Instant expiry() {
    return expiry;
  }
}
