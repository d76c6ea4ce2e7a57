package dev.cloister.agent.transfer;

import dev.cloister.agent.modelstore.PieceSource;
import dev.cloister.agent.modelstore.StageRecipe;
import dev.cloister.proto.peer.v1.FetchPieceRequest;
import dev.cloister.proto.peer.v1.PeerServiceGrpc;
import dev.cloister.proto.peer.v1.PieceChunk;
import io.grpc.ManagedChannel;
import java.io.InputStream;
import java.util.concurrent.TimeUnit;

/** What another agent has. */
final class PeerPieces implements PieceSource {
  private static final long PATIENCE_SECONDS = 30;

  /** Whoever is slower than this is left alone: the coordinator has everything too. */
  private static final long LEAST_BYTES_PER_SECOND = 1 << 20;

  private final ManagedChannel channel;
  private final String address;

  PeerPieces(ManagedChannel channel, String address) {
    this.channel = channel;
    this.address = address;
  }

  @Override
  public InputStream open(String modelSha256, StageRecipe.Piece piece, long from) {
    long length = piece.length() - from;
    FetchPieceRequest request =
        FetchPieceRequest.newBuilder()
            .setSha256(piece.sha256())
            .setOffset(from)
            .setLength(length)
            .setModelSha256(modelSha256)
            .setModelOffset(piece.offset() + from)
            .build();
    return new ChunkStream<>(
        "the agent at " + address,
        () ->
            PeerServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(
                    PATIENCE_SECONDS + length / LEAST_BYTES_PER_SECOND, TimeUnit.SECONDS)
                .fetchPiece(request),
        PieceChunk::getData);
  }
}
