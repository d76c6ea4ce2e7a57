package dev.cloister.coordinator.api;

import com.google.protobuf.UnsafeByteOperations;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelContents;
import dev.cloister.proto.catalog.v1.ModelChunk;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends a range of a file as fast as the receiver takes it. gRPC never runs two handlers of a call
 * at once.
 */
final class ModelTransfer {
  private static final Logger log = LoggerFactory.getLogger(ModelTransfer.class);

  /** Large enough that framing costs nothing, small enough for gRPC's default message limit. */
  private static final int CHUNK_BYTES = 1 << 20;

  private final Model model;
  private final ServerCallStreamObserver<ModelChunk> reply;
  private final FileChannel file;
  private final long end;
  private long offset;
  private boolean over;

  private ModelTransfer(
      Model model, long offset, long end, ServerCallStreamObserver<ModelChunk> reply)
      throws IOException {
    this.model = model;
    this.offset = offset;
    this.end = end;
    this.reply = reply;
    this.file = FileChannel.open(model.file(), StandardOpenOption.READ);
  }

  /**
   * @throws StatusRuntimeException DATA_LOSS if the file is not what it was
   */
  static void begin(
      Model model, long offset, long end, ServerCallStreamObserver<ModelChunk> reply) {
    try {
      ModelContents.requireUnchanged(model);
      ModelTransfer transfer = new ModelTransfer(model, offset, end, reply);
      reply.setOnReadyHandler(transfer::sendWhileReady);
      reply.setOnCancelHandler(transfer::close);
    } catch (IOException e) {
      throw lost(model, e);
    }
  }

  private void sendWhileReady() {
    try {
      while (!over && reply.isReady()) {
        if (offset == end) {
          close();
          reply.onCompleted();
          return;
        }
        // A fresh buffer for each chunk: gRPC keeps it until it is on the wire.
        ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, end - offset));
        if (file.read(chunk, offset) < 0) {
          throw new EOFException("it has " + offset + " bytes");
        }
        offset += chunk.position();
        reply.onNext(
            ModelChunk.newBuilder().setData(UnsafeByteOperations.unsafeWrap(chunk.flip())).build());
      }
    } catch (IOException e) {
      close();
      reply.onError(lost(model, e));
    }
  }

  /** What callers are told when a model's file is not what it was. */
  static StatusRuntimeException lost(Model model, IOException cause) {
    log.error("the file of model {} is not what it was: {}", model.name(), cause.toString());
    return Status.DATA_LOSS
        .withDescription(
            "the coordinator's file of model " + model.name() + " is gone or was changed")
        .asRuntimeException();
  }

  private void close() {
    over = true;
    try {
      file.close();
    } catch (IOException e) {
      log.debug("closing {}", model.file(), e);
    }
  }
}
