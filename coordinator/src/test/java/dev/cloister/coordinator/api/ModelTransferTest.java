package dev.cloister.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.identity.Role;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc;
import dev.cloister.proto.catalog.v1.FetchModelRequest;
import dev.cloister.proto.catalog.v1.ModelChunk;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.Random;
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
  void whatIsNotThereIsSaid() {
    assertStatus(Status.Code.NOT_FOUND, fetch("f".repeat(64), 0));
    assertStatus(Status.Code.NOT_FOUND, fetch("../../etc/passwd", 0));
    assertStatus(Status.Code.OUT_OF_RANGE, fetch(model.sha256(), SIZE + 1L));
    assertStatus(Status.Code.OUT_OF_RANGE, fetch(model.sha256(), -1));
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
    assertThatThrownBy(() -> chunks.forEachRemaining(chunk -> {}))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).as(e.getMessage()).isEqualTo(code));
  }
}
