package dev.cloister.agent.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.cloister.agent.modelstore.BundledModels;
import dev.cloister.agent.modelstore.DiskLimit;
import dev.cloister.agent.modelstore.LocalPieces;
import dev.cloister.agent.modelstore.ModelSource;
import dev.cloister.agent.modelstore.ModelStore;
import dev.cloister.agent.modelstore.PieceSource;
import dev.cloister.agent.modelstore.StageFiles;
import dev.cloister.agent.modelstore.StageRecipe;
import dev.cloister.agent.modelstore.StageSource;
import dev.cloister.proto.catalog.v1.Part;
import dev.cloister.proto.catalog.v1.Piece;
import dev.cloister.proto.catalog.v1.StageFile;
import dev.cloister.proto.peer.v1.FetchPieceRequest;
import dev.cloister.proto.peer.v1.PeerServiceGrpc;
import dev.cloister.proto.peer.v1.PieceChunk;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One agent has a model or a stage of it, another one wants a stage. */
@Timeout(30)
class PiecesOverTheWireTest {
  private static final int LAYER = 3_000_000;

  private final byte[] model = new byte[3 * LAYER];
  private final String digest;
  private final Path directory;
  private final ModelStore models;
  private final LocalPieces pieces;
  private final PieceSender sender;
  private final Server server;
  private final ManagedChannel channel;
  private final PeerPieces peer;

  PiecesOverTheWireTest(@TempDir Path directory) throws Exception {
    this.directory = directory;
    new Random(3).nextBytes(model);
    digest = sha256(model);
    ModelSource source = (_, offset) -> new ByteArrayInputStream(model, (int) offset, model.length);
    models = new ModelStore(directory.resolve("models"), source);
    pieces =
        new LocalPieces(
            models,
            new BundledModels(directory.resolve("bundled"), source),
            directory.resolve("stages"));
    sender = new PieceSender(pieces);
    sender.share(digest, true);
    server =
        InProcessServerBuilder.forName(directory.toString())
            .addService(
                new PeerServiceGrpc.PeerServiceImplBase() {
                  @Override
                  public void fetchPiece(
                      FetchPieceRequest request, StreamObserver<PieceChunk> reply) {
                    sender.send(request, reply);
                  }
                })
            .build()
            .start();
    channel = InProcessChannelBuilder.forName(directory.toString()).build();
    peer = new PeerPieces(channel, "127.0.0.1:1");
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.shutdownNow();
  }

  @Test
  void aPieceComesFromTheWholeModelOfAnotherAgent() throws Exception {
    models.obtain(digest, model.length, _ -> {});
    assertThat(read(peer, layer(1), 0)).isEqualTo(Arrays.copyOfRange(model, LAYER, 2 * LAYER));
    assertThat(read(peer, layer(2), 2_345_678))
        .isEqualTo(Arrays.copyOfRange(model, 2 * LAYER + 2_345_678, 3 * LAYER));
  }

  @Test
  void whatNotEveryNodeMayHaveIsNotGivenToOthers() throws Exception {
    models.obtain(digest, model.length, _ -> {});
    sender.share(digest, false);
    assertThatThrownBy(() -> read(peer, layer(1), 0)).isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void aPieceComesFromAStageOfAnotherAgent() throws Exception {
    stageOfLayers(1);
    assertThat(read(peer, layer(1), 17))
        .isEqualTo(Arrays.copyOfRange(model, LAYER + 17, 2 * LAYER));
    assertThatThrownBy(() -> read(peer, layer(2), 0)).isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void aRangeThatMakesNoSenseIsRefused() throws Exception {
    models.obtain(digest, model.length, _ -> {});
    assertThatThrownBy(
            () -> read(peer, new StageRecipe.Piece(2L * LAYER, LAYER + 1L, "f".repeat(64)), 0))
        .isInstanceOf(NoSuchFileException.class);
    PeerServiceGrpc.PeerServiceBlockingStub stub = PeerServiceGrpc.newBlockingStub(channel);
    FetchPieceRequest good =
        FetchPieceRequest.newBuilder()
            .setSha256(digest)
            .setLength(10)
            .setModelSha256(digest)
            .build();
    assertThat(stub.fetchPiece(good).next().getData().size()).isEqualTo(10);
    for (FetchPieceRequest bad :
        List.of(
            good.toBuilder().setLength(0).build(),
            good.toBuilder().setLength(-1).build(),
            good.toBuilder().setOffset(-1).build(),
            good.toBuilder().setModelOffset(Long.MIN_VALUE).build(),
            good.toBuilder().setSha256("../../etc/passwd").build(),
            good.toBuilder().setSha256("f".repeat(64)).setModelSha256("..").build(),
            good.toBuilder().setOffset(Long.MAX_VALUE).setModelOffset(Long.MAX_VALUE).build())) {
      assertThatThrownBy(() -> stub.fetchPiece(bad).next())
          .as("%s", bad)
          .hasMessageMatching("(?s)(INVALID_ARGUMENT|NOT_FOUND).*");
    }
  }

  @Test
  void aRecipeIsReadAsItWasMeantOrRefused() {
    StageFile good =
        StageFile.newBuilder()
            .addParts(Part.newBuilder().setBytes(ByteString.copyFromUtf8("GGUF")))
            .addParts(
                Part.newBuilder()
                    .setPiece(
                        Piece.newBuilder()
                            .setOffset(5)
                            .setLength(100)
                            .setSha256(ByteString.copyFrom(new byte[32]))))
            .addParts(Part.newBuilder().setZeros(7))
            .setSizeBytes(111)
            .build();
    assertThat(GrpcStageSource.recipe(good).parts())
        .containsExactly(
            new StageRecipe.Own(new byte[] {'G', 'G', 'U', 'F'}),
            new StageRecipe.Piece(5, 100, "0".repeat(64)),
            new StageRecipe.Zeros(7));
    Piece piece = good.getParts(1).getPiece();
    for (StageFile bad :
        List.of(
            good.toBuilder().setSizeBytes(112).build(),
            good.toBuilder().addParts(Part.getDefaultInstance()).build(),
            good.toBuilder().addParts(Part.newBuilder().setZeros(-1)).build(),
            with(good, piece.toBuilder().setLength(-1)),
            with(good, piece.toBuilder().setLength(Long.MAX_VALUE)),
            with(good, piece.toBuilder().setOffset(-1)),
            with(good, piece.toBuilder().setSha256(ByteString.copyFrom(new byte[31]))))) {
      assertThatThrownBy(() -> GrpcStageSource.recipe(bad))
          .as("%s", bad)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  private static StageFile with(StageFile file, Piece.Builder piece) {
    return file.toBuilder().setParts(1, Part.newBuilder().setPiece(piece)).build();
  }

  /** Has the agent that answers put the file of a stage together. */
  private void stageOfLayers(int layer) throws IOException {
    StageRecipe recipe =
        new StageRecipe(List.of(new StageRecipe.Own(new byte[] {1, 2, 3}), layer(layer)));
    PieceSource all =
        (_, piece, from) ->
            new ByteArrayInputStream(model, (int) (piece.offset() + from), (int) piece.length());
    new StageFiles(
            directory.resolve("stages"),
            (_, _) -> new StageSource.Offer(recipe, List.of(all), () -> {}),
            pieces,
            InstantSource.system(),
            "1",
            DiskLimit.NONE)
        .obtain(digest, layer, layer + 1, _ -> {});
  }

  private StageRecipe.Piece layer(int layer) {
    return new StageRecipe.Piece(
        (long) layer * LAYER,
        LAYER,
        sha256(Arrays.copyOfRange(model, layer * LAYER, (layer + 1) * LAYER)));
  }

  private byte[] read(PeerPieces peer, StageRecipe.Piece piece, long from) throws IOException {
    try (InputStream in = peer.open(digest, piece, from)) {
      return in.readAllBytes();
    }
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
