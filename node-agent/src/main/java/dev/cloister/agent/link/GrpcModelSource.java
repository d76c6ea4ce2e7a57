package dev.cloister.agent.link;

import dev.cloister.agent.modelstore.ModelSource;
import dev.cloister.identity.Role;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.tls.ClusterChannel;
import dev.cloister.identity.tls.ClusterTls;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc;
import dev.cloister.proto.catalog.v1.FetchModelRequest;
import dev.cloister.proto.catalog.v1.ModelChunk;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Iterator;

/**
 * The coordinator's own model files. A connection of its own keeps them out of the session's way.
 */
public final class GrpcModelSource implements ModelSource {
  private final Membership membership;

  public GrpcModelSource(Membership membership) {
    this.membership = membership;
  }

  @Override
  public InputStream open(String sha256, long offset) throws IOException {
    ManagedChannel channel =
        ClusterChannel.to(
                membership.coordinator(),
                ClusterTls.client(membership.identity(), Role.COORDINATOR))
            .build();
    Iterator<ModelChunk> chunks =
        CatalogServiceGrpc.newBlockingStub(channel)
            .fetchModel(FetchModelRequest.newBuilder().setSha256(sha256).setOffset(offset).build());
    return new ChunkStream(channel, chunks);
  }

  /** The chunks as one stream. */
  private static final class ChunkStream extends InputStream {
    private final ManagedChannel channel;
    private final Iterator<ModelChunk> chunks;
    private InputStream chunk = InputStream.nullInputStream();

    ChunkStream(ManagedChannel channel, Iterator<ModelChunk> chunks) {
      this.channel = channel;
      this.chunks = chunks;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int read = chunk.read(buffer, offset, length);
      while (read < 0) {
        try {
          if (!chunks.hasNext()) {
            return -1;
          }
          chunk = chunks.next().getData().newInput();
        } catch (StatusRuntimeException e) {
          Status status = e.getStatus();
          throw new IOException(
              status.getDescription() == null
                  ? "the coordinator broke off with " + status.getCode()
                  : status.getDescription(),
              e);
        }
        read = chunk.read(buffer, offset, length);
      }
      return read;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public void close() {
      channel.shutdownNow();
    }
  }
}
