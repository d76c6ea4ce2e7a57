package dev.cloister.agent.transfer;

import dev.cloister.agent.modelstore.ModelSource;
import dev.cloister.identity.Role;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.tls.ClusterChannel;
import dev.cloister.identity.tls.ClusterTls;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc;
import dev.cloister.proto.catalog.v1.FetchModelRequest;
import dev.cloister.proto.catalog.v1.ModelChunk;
import io.grpc.ManagedChannel;
import java.io.FilterInputStream;
import java.io.InputStream;

/**
 * The coordinator's own model files. A connection of its own keeps them out of the session's way.
 */
public final class GrpcModelSource implements ModelSource {
  private final Membership membership;

  public GrpcModelSource(Membership membership) {
    this.membership = membership;
  }

  @Override
  public InputStream open(String sha256, long offset) {
    ManagedChannel channel =
        ClusterChannel.to(
                membership.coordinator(),
                ClusterTls.client(membership.identity(), Role.COORDINATOR))
            .build();
    return new FilterInputStream(open(channel, sha256, offset, 0)) {
      @Override
      public void close() {
        channel.shutdownNow();
      }
    };
  }

  /**
   * @param length 0 for all that follow
   */
  static InputStream open(ManagedChannel channel, String sha256, long offset, long length) {
    FetchModelRequest request =
        FetchModelRequest.newBuilder()
            .setSha256(sha256)
            .setOffset(offset)
            .setLength(length)
            .build();
    return new ChunkStream<>(
        "the coordinator",
        () -> CatalogServiceGrpc.newBlockingStub(channel).fetchModel(request),
        ModelChunk::getData);
  }
}
