package dev.cloister.bench.split;

import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Joins the engines of a split model into a ring, as their agents do, without a network between
 * them; counts what passes, and holds it up where that is asked for.
 */
final class RingRelay implements AutoCloseable {
  /** What gRPC and HTTP/2 put before a message. */
  private static final int FRAMING_BYTES = 5 + 9;

  private final List<ClientCall<InputStream, InputStream>> calls = new ArrayList<>();
  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
  private final AtomicLong forwardBytes = new AtomicLong();
  private volatile long delayNanos;
  private volatile boolean closed;

  /** Joins them in their order; the last one's frames go to the first one. */
  RingRelay(List<PinnedEngine> engines) {
    engines.forEach(engine -> calls.add(engine.client().run()));
    for (int stage = 0; stage < calls.size(); stage++) {
      boolean last = stage == calls.size() - 1;
      ClientCall<InputStream, InputStream> from = calls.get(stage);
      from.start(new Hop(from, calls.get(last ? 0 : stage + 1), last), new Metadata());
    }
    calls.forEach(call -> call.request(2));
  }

  /** Has every frame wait on its way. */
  void delay(long millis) {
    delayNanos = TimeUnit.MILLISECONDS.toNanos(millis);
  }

  /** Bytes that went from a stage to the one behind, since the last call, framing included. */
  long takeForwardBytes() {
    return forwardBytes.getAndSet(0);
  }

  @Override
  public void close() {
    closed = true;
    calls.forEach(call -> call.cancel("the benchmark is over", null));
    clock.shutdownNow();
  }

  private final class Hop extends ClientCall.Listener<InputStream> {
    private final ClientCall<InputStream, InputStream> from;
    private final ClientCall<InputStream, InputStream> to;
    private final boolean back;

    Hop(
        ClientCall<InputStream, InputStream> from,
        ClientCall<InputStream, InputStream> to,
        boolean back) {
      this.from = from;
      this.to = to;
      this.back = back;
    }

    @Override
    public void onMessage(InputStream frame) {
      try {
        forwardBytes.addAndGet(back ? 0 : frame.available() + FRAMING_BYTES);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      if (delayNanos == 0) {
        pass(frame);
      } else {
        var _ = clock.schedule(() -> pass(frame), delayNanos, TimeUnit.NANOSECONDS);
      }
    }

    private void pass(InputStream frame) {
      to.sendMessage(frame);
      from.request(1);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (!closed) {
        System.err.println("a stage ended its part: " + status);
      }
    }
  }
}
