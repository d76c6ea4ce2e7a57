package dev.cloister.agent.transfer;

import dev.cloister.agent.modelstore.PieceSource;
import dev.cloister.agent.modelstore.StagePart;
import dev.cloister.agent.modelstore.StageRecipe;
import dev.cloister.agent.modelstore.StageSource;
import dev.cloister.identity.Role;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.tls.ClusterChannel;
import dev.cloister.identity.tls.ClusterTls;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc;
import dev.cloister.proto.catalog.v1.DescribeStageRequest;
import dev.cloister.proto.catalog.v1.Layers;
import dev.cloister.proto.catalog.v1.Lexicon;
import dev.cloister.proto.catalog.v1.Part;
import dev.cloister.proto.catalog.v1.StageFile;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The coordinator, which knows what stages' files consist of, and the agents that it says have
 * pieces of them. Connections of their own keep them out of the session's way. Thread-safe.
 */
public final class GrpcStageSource implements StageSource {
  /** A header has the tokenizer in it: 10 MiB for 256,000 tokens. */
  private static final int MAX_RECIPE_BYTES = 256 << 20;

  /** The first time, pieces are hashed: a GiB takes seconds. */
  private static final long DESCRIBE_MINUTES = 30;

  private static final int MAX_HOLDERS = 8;

  private final Membership membership;

  public GrpcStageSource(Membership membership) {
    this.membership = membership;
  }

  @Override
  public Offer describe(String modelSha256, StagePart part) throws IOException {
    ManagedChannel coordinator = channel(membership.coordinator(), Role.COORDINATOR);
    List<ManagedChannel> channels = new ArrayList<>(List.of(coordinator));
    try {
      StageFile file =
          CatalogServiceGrpc.newBlockingStub(coordinator)
              .withMaxInboundMessageSize(MAX_RECIPE_BYTES)
              .withDeadlineAfter(DESCRIBE_MINUTES, TimeUnit.MINUTES)
              .describeStage(request(modelSha256, part));
      List<PieceSource> pieces = new ArrayList<>();
      for (String holder : file.getHoldersList().stream().limit(MAX_HOLDERS).toList()) {
        ManagedChannel peer = channel(holder, Role.AGENT);
        channels.add(peer);
        pieces.add(new PeerPieces(peer, holder));
      }
      pieces.add(
          (model, piece, from) ->
              GrpcModelSource.open(
                  coordinator, model, piece.offset() + from, piece.length() - from));
      return new Offer(recipe(file), pieces, () -> end(channels));
    } catch (StatusRuntimeException e) {
      end(channels);
      throw ChunkStream.failure("the coordinator", e);
    } catch (IllegalArgumentException e) {
      end(channels);
      throw new IOException("the coordinator sent no recipe of a file: " + e.getMessage(), e);
    }
  }

  private ManagedChannel channel(String address, Role role) {
    return ClusterChannel.to(address, ClusterTls.client(membership.identity(), role)).build();
  }

  private static void end(List<ManagedChannel> channels) {
    channels.forEach(ManagedChannel::shutdownNow);
  }

  private static DescribeStageRequest request(String modelSha256, StagePart part) {
    DescribeStageRequest.Builder request = DescribeStageRequest.newBuilder().setSha256(modelSha256);
    return switch (part) {
      case StagePart.Layers(int first, int end) ->
          request.setLayers(Layers.newBuilder().setFirst(first).setEnd(end)).build();
      case StagePart.Lexicon() -> request.setLexicon(Lexicon.getDefaultInstance()).build();
    };
  }

  /**
   * @throws IllegalArgumentException if it makes no sense; the message is one sentence
   */
  static StageRecipe recipe(StageFile wire) {
    StageRecipe recipe =
        new StageRecipe(wire.getPartsList().stream().map(GrpcStageSource::part).toList());
    if (recipe.sizeBytes() != wire.getSizeBytes()) {
      throw new IllegalArgumentException(
          "parts of %d bytes (expected: %d)".formatted(recipe.sizeBytes(), wire.getSizeBytes()));
    }
    return recipe;
  }

  private static StageRecipe.Part part(Part wire) {
    return switch (wire.getPartCase()) {
      case BYTES -> new StageRecipe.Own(wire.getBytes().toByteArray());
      case PIECE ->
          new StageRecipe.Piece(
              wire.getPiece().getOffset(),
              wire.getPiece().getLength(),
              HexFormat.of().formatHex(wire.getPiece().getSha256().toByteArray()));
      case ZEROS -> new StageRecipe.Zeros(wire.getZeros());
      case PART_NOT_SET ->
          throw new IllegalArgumentException(
              "a part without anything (expected: bytes or a piece)");
    };
  }
}
