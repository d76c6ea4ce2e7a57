package dev.cloister.agent.stage;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A stream that another agent has opened to a stage here. Thread-safe. */
final class InboundStream extends ServerCall.Listener<InputStream> implements Inbound {
  private static final String HOW = "ended";

  private final ServerCall<InputStream, InputStream> call;
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile @Nullable StageJoint joint;

  InboundStream(ServerCall<InputStream, InputStream> call) {
    this.call = call;
  }

  @Override
  public void join(StageJoint joint) {
    this.joint = joint;
    if (closed.get()) {
      joint.previousEnded(HOW);
    }
  }

  @Override
  public void request(int frames) {
    call.request(frames);
  }

  boolean isOver() {
    return closed.get();
  }

  @Override
  public void close(Status status) {
    if (closed.compareAndSet(false, true)) {
      call.close(status, new Metadata());
    }
  }

  @Override
  public void onMessage(InputStream frame) {
    @Nullable StageJoint joined = joint;
    if (joined == null) {
      try {
        frame.close();
      } catch (IOException e) {
        throw new UncheckedIOException("a buffer in memory cannot be closed", e);
      }
    } else {
      joined.fromPrevious(frame);
    }
  }

  @Override
  public void onHalfClose() {
    close(StageJoint.LOST);
    over();
  }

  @Override
  public void onCancel() {
    closed.set(true);
    over();
  }

  private void over() {
    @Nullable StageJoint joined = joint;
    if (joined != null) {
      joined.previousEnded(HOW);
    }
  }
}
