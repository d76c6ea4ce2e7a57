package dev.cloister.agent.stage;

import dev.cloister.agent.engine.FrameBytes;
import dev.cloister.proto.relay.v1.ReceiveRequest;
import dev.cloister.proto.relay.v1.RelayServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.InputStream;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The stream of a stage before whose agent does not reach this one: it comes from the coordinator.
 */
final class RelayedStream extends ClientCall.Listener<InputStream> implements Inbound {
  /** The sending half, with pieces that are not parsed. */
  static final MethodDescriptor<InputStream, InputStream> SEND =
      RelayServiceGrpc.getSendMethod().toBuilder(new FrameBytes(), new FrameBytes()).build();

  private static final MethodDescriptor<ReceiveRequest, InputStream> RECEIVE =
      RelayServiceGrpc.getReceiveMethod().toBuilder(
              RelayServiceGrpc.getReceiveMethod().getRequestMarshaller(), new FrameBytes())
          .build();

  private final ManagedChannel channel;
  private final ClientCall<ReceiveRequest, InputStream> call;
  private final FramePieces pieces = new FramePieces();
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile String how = "ended";
  private volatile @Nullable StageJoint joint;

  private RelayedStream(ManagedChannel channel) {
    this.channel = channel;
    this.call = channel.newCall(RECEIVE, CallOptions.DEFAULT);
  }

  /**
   * Opens it.
   *
   * @param coordinator closed with the stream
   * @param signedTicket of this machine's stage
   */
  static RelayedStream open(ManagedChannel coordinator, byte[] signedTicket) {
    RelayedStream stream = new RelayedStream(coordinator);
    Metadata headers = new Metadata();
    headers.put(StageStream.TICKET, signedTicket);
    stream.call.start(stream, headers);
    stream.call.sendMessage(ReceiveRequest.getDefaultInstance());
    stream.call.halfClose();
    return stream;
  }

  @Override
  public void join(StageJoint joint) {
    this.joint = joint;
    if (closed.get()) {
      joint.previousEnded(how);
    }
  }

  @Override
  public void request(int frames) {
    // Each has one piece at least.
    call.request(frames);
  }

  @Override
  public void close(Status status) {
    if (closed.compareAndSet(false, true)) {
      call.cancel(status.getDescription(), null);
    }
    channel.shutdownNow();
  }

  @Override
  public void onMessage(InputStream piece) {
    @Nullable StageJoint joined = joint;
    if (joined == null) {
      throw new IllegalStateException("a piece came before one was asked for");
    }
    @Nullable InputStream frame = pieces.add(piece);
    if (frame == null) {
      call.request(1);
    } else {
      joined.fromPrevious(frame);
    }
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    how = "ended with " + StageJoint.describe(status);
    closed.set(true);
    @Nullable StageJoint joined = joint;
    if (joined != null) {
      joined.previousEnded(how);
    }
  }
}
