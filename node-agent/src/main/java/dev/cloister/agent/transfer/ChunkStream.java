package dev.cloister.agent.transfer;

import com.google.protobuf.ByteString;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.util.Iterator;
import java.util.function.Function;
import java.util.function.Supplier;

/** The chunks that a call brings as one stream; closing it cancels the call. */
final class ChunkStream<T> extends InputStream {
  private final String sender;
  private final Function<T, ByteString> data;
  private final Context.CancellableContext context = Context.current().withCancellation();
  private final Iterator<T> chunks;
  private InputStream chunk = InputStream.nullInputStream();

  /**
   * @param sender what an error message is to call it, for example {@code the coordinator}
   * @param call begins the call
   */
  ChunkStream(String sender, Supplier<Iterator<T>> call, Function<T, ByteString> data) {
    this.sender = sender;
    this.data = data;
    Context previous = context.attach();
    try {
      this.chunks = call.get();
    } finally {
      context.detach(previous);
    }
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int read = chunk.read(buffer, offset, length);
    while (read < 0) {
      try {
        if (!chunks.hasNext()) {
          return -1;
        }
        chunk = data.apply(chunks.next()).newInput();
      } catch (StatusRuntimeException e) {
        throw failure(sender, e);
      }
      read = chunk.read(buffer, offset, length);
    }
    return read;
  }

  /** What became of a call, in one sentence. */
  static IOException failure(String sender, StatusRuntimeException e) {
    Status status = e.getStatus();
    String what =
        status.getDescription() == null
            ? sender + " broke off with " + status.getCode()
            : status.getDescription();
    return status.getCode() == Status.Code.NOT_FOUND
        ? new NoSuchFileException(what)
        : new IOException(what, e);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public void close() {
    context.cancel(null);
  }
}
