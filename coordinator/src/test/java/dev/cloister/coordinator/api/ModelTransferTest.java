package dev.cloister.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.identity.Role;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc;
import dev.cloister.proto.catalog.v1.DescribeStageRequest;
import dev.cloister.proto.catalog.v1.FetchModelRequest;
import dev.cloister.proto.catalog.v1.Layers;
import dev.cloister.proto.catalog.v1.ModelChunk;
import dev.cloister.proto.catalog.v1.Piece;
import dev.cloister.proto.catalog.v1.StageFile;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class ModelTransferTest {
  private static final int SIZE = 20_000_003;

  @TempDir private Path directory;
  private TestClusterPort cluster;
  private CatalogServiceGrpc.CatalogServiceBlockingStub catalog;
  private byte[] content;
  private Path file;
  private Model model;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestClusterPort(directory);
    catalog =
        CatalogServiceGrpc.newBlockingStub(
            cluster.channel(cluster.join(Role.AGENT, "desk").identity()));
    content = new byte[SIZE];
    new Random(1).nextBytes(content);
    file = Files.write(directory.resolve("model.gguf"), content);
    model = cluster.catalog.add("large", file);
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  @Test
  void aModelArrivesWholeAndFromWhereItBroke() throws Exception {
    assertThat(digest(0)).isEqualTo(model.sha256());
    MessageDigest rest = MessageDigest.getInstance("SHA-256");
    rest.update(content, 12_345_678, SIZE - 12_345_678);
    assertThat(digest(12_345_678)).isEqualTo(HexFormat.of().formatHex(rest.digest()));
    assertThat(fetch(model.sha256(), SIZE).hasNext()).isFalse();
  }

  @Test
  void aNodeWithoutTheLabelsThatTheModelRequiresGetsNothingOfIt() {
    cluster.catalog.require("large", Map.of("class", "server"), List.of());
    assertStatus(Status.Code.PERMISSION_DENIED, () -> fetch(model.sha256(), 0).hasNext());
    assertStatus(Status.Code.PERMISSION_DENIED, () -> catalog.describeStage(layers(1, 3)));

    Node desk = cluster.fleet.named("desk").orElseThrow();
    cluster.fleet.label(desk, Map.of("class", "server", "site", "hq"), List.of());

    assertThat(fetch(model.sha256(), 0).hasNext()).isTrue();
    assertThat(catalog.describeStage(layers(1, 3)).getHoldersList()).isEmpty();
  }

  @Test
  void aRangeArrivesAndNoMore() throws Exception {
    ByteString range = ByteString.EMPTY;
    Iterator<ModelChunk> chunks =
        catalog.fetchModel(
            FetchModelRequest.newBuilder()
                .setSha256(model.sha256())
                .setOffset(3_000_000)
                .setLength(2_500_000)
                .build());
    while (chunks.hasNext()) {
      range = range.concat(chunks.next().getData());
    }
    assertThat(range).isEqualTo(ByteString.copyFrom(content, 3_000_000, 2_500_000));
  }

  @Test
  void aStageIsDescribedByPiecesOfTheModel() throws Exception {
    StageFile file = catalog.describeStage(layers(1, 3));
    Piece piece = file.getParts(1).getPiece();
    int layer = SIZE / 4;
    assertThat(file.getParts(0).getBytes().toStringUtf8()).isEqualTo("header");
    assertThat(piece.getOffset()).isEqualTo(layer);
    assertThat(piece.getLength()).isEqualTo(2L * layer);
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    digest.update(content, layer, 2 * layer);
    assertThat(piece.getSha256().toByteArray()).isEqualTo(digest.digest());
    assertThat(file.getParts(2).getZeros()).isEqualTo(26);
    assertThat(file.getSizeBytes()).isEqualTo(6 + 2 * layer + 26);
    assertThat(catalog.describeStage(layers(1, 3))).isEqualTo(file);
  }

  @Test
  void aStageThatCannotBeIsRefused() throws Exception {
    assertStatus(Status.Code.INVALID_ARGUMENT, () -> catalog.describeStage(layers(3, 3)));
    assertStatus(Status.Code.INVALID_ARGUMENT, () -> catalog.describeStage(layers(0, 5)));
    assertStatus(Status.Code.INVALID_ARGUMENT, () -> catalog.describeStage(layers(-1, 2)));
    assertStatus(
        Status.Code.INVALID_ARGUMENT,
        () ->
            catalog.describeStage(
                DescribeStageRequest.newBuilder().setSha256(model.sha256()).build()));
    assertStatus(
        Status.Code.NOT_FOUND,
        () -> catalog.describeStage(DescribeStageRequest.newBuilder().setSha256("no").build()));
    Files.setLastModifiedTime(file, FileTime.fromMillis(1));
    assertStatus(Status.Code.DATA_LOSS, () -> catalog.describeStage(layers(0, 2)));
    assertStatus(Status.Code.DATA_LOSS, fetch(model.sha256(), 0));
  }

  private DescribeStageRequest layers(int first, int end) {
    return DescribeStageRequest.newBuilder()
        .setSha256(model.sha256())
        .setLayers(Layers.newBuilder().setFirst(first).setEnd(end))
        .build();
  }

  @Test
  void whatIsNotThereIsSaid() {
    assertStatus(Status.Code.NOT_FOUND, fetch("f".repeat(64), 0));
    assertStatus(Status.Code.NOT_FOUND, fetch("../../etc/passwd", 0));
    assertStatus(Status.Code.OUT_OF_RANGE, fetch(model.sha256(), SIZE + 1L));
    assertStatus(Status.Code.OUT_OF_RANGE, fetch(model.sha256(), -1));
    assertStatus(
        Status.Code.OUT_OF_RANGE,
        catalog.fetchModel(
            FetchModelRequest.newBuilder()
                .setSha256(model.sha256())
                .setOffset(10)
                .setLength(SIZE - 9)
                .build()));
  }

  @Test
  void aFileThatIsGoneIsDataLoss() throws Exception {
    Files.delete(file);
    assertStatus(Status.Code.DATA_LOSS, fetch(model.sha256(), 0));
  }

  @Test
  void aFileThatWasCutOrGrewIsDataLoss() throws Exception {
    try (RandomAccessFile writer = new RandomAccessFile(file.toFile(), "rw")) {
      writer.setLength(SIZE - 1L);
      assertStatus(Status.Code.DATA_LOSS, fetch(model.sha256(), 0));
      writer.setLength(SIZE + 1L);
      assertStatus(Status.Code.DATA_LOSS, fetch(model.sha256(), 0));
    }
  }

  private Iterator<ModelChunk> fetch(String digest, long offset) {
    return catalog.fetchModel(
        FetchModelRequest.newBuilder().setSha256(digest).setOffset(offset).build());
  }

  private String digest(long offset) throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    fetch(model.sha256(), offset)
        .forEachRemaining(chunk -> digest.update(chunk.getData().asReadOnlyByteBuffer()));
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void assertStatus(Status.Code code, Iterator<ModelChunk> chunks) {
    assertStatus(code, () -> chunks.forEachRemaining(chunk -> {}));
  }

  private static void assertStatus(Status.Code code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).as(e.getMessage()).isEqualTo(code));
  }
}
