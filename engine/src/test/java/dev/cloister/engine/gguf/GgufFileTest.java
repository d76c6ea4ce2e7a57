package dev.cloister.engine.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.cloister.engine.gguf.random.RandomModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufFileTest {

  @TempDir Path folder;

  @Test
  void whatIsWrittenIsReadAgain() throws Exception {
    Path path = folder.resolve("small.gguf");
    new GgufWriter()
        .put("a.text", GgufValue.ofText("naïve 水"))
        .put("a.count", GgufValue.ofUint32(4_000_000_000L))
        .put("a.rate", GgufValue.ofFloat32(0.5f))
        .put("a.flag", GgufValue.ofBool(true))
        .put("a.texts", GgufValue.ofTexts(List.of("x", "", "yz")))
        .put("a.numbers", GgufValue.ofInts(3, -1, 7))
        .tensor("first", TensorType.F32, List.of(3L), bytes(12, 1))
        .tensor("second", TensorType.Q4_0, List.of(32L, 2L), bytes(36, 2))
        .write(path);

    GgufFile file = GgufFile.open(path);

    assertThat(file.text("a.text")).contains("naïve 水");
    assertThat(file.integer("a.count")).hasValue(4_000_000_000L);
    assertThat(value(file, "a.rate").bytes().order(ByteOrder.LITTLE_ENDIAN).getFloat(0))
        .isEqualTo(0.5f);
    assertThat(file.bool("a.flag")).contains(true);
    assertThat(value(file, "a.numbers").integerAt(1)).isEqualTo(-1);
    List<String> texts = new ArrayList<>();
    value(file, "a.texts").forEachText((text, index) -> texts.add(index + text));
    assertThat(texts).containsExactly("0x", "1", "2yz");
    assertThat(file.tensors().keySet()).containsExactly("first", "second");
    TensorInfo second = file.tensor("second").orElseThrow();
    assertThat(second)
        .isEqualTo(new TensorInfo("second", TensorType.Q4_0, List.of(32L, 2L), 32, 36));
    assertThat(TensorBytes.of(file, second).array()).hasSize(36).containsOnly(2);
    assertThat(file.text("absent")).isEmpty();
  }

  @Test
  void aWriterThatFailsLeavesNothing() throws Exception {
    GgufWriter writer = new GgufWriter().tensor("t", TensorType.F32, List.of(3L), bytes(11, 1));
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> writer.write(folder.resolve("never.gguf")))
        .withMessage("tensor t: its source gave 11 bytes (expected: 12)");
    try (var left = Files.list(folder)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void theWriterRefusesWhatNoReaderTakes() {
    GgufWriter writer = new GgufWriter().tensor("t", TensorType.F32, List.of(3L), bytes(12, 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> writer.tensor("t", TensorType.F32, List.of(3L), bytes(12, 1)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> writer.tensor("u", TensorType.Q8_0, List.of(33L), bytes(34, 1)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> writer.tensor("u", TensorType.F32, List.of(), bytes(0, 1)));
  }

  @Test
  void whatIsNoGgufFileIsRefused() throws Exception {
    Path text = Files.writeString(folder.resolve("readme"), "Once upon a time");
    refused(() -> GgufFile.open(text), "does not begin with the letters GGUF");
    refused(
        () -> GgufFile.open(Files.createFile(folder.resolve("empty"))), "it is not a GGUF file");
    refused(() -> GgufFile.open(folder), "it is not a file");
    refused(() -> GgufFile.open(folder.resolve("absent")), "there is no such file");
    refused(
        () -> new HeaderBytes().u32(GgufFile.MAGIC).u32(1).u64(0).u64(0).parse(0),
        "header: version 1 (expected: 2 or 3, little-endian)");
    refused(
        () -> new HeaderBytes().u32(GgufFile.MAGIC).u32(3L << 24).u64(0).u64(0).parse(0),
        "header: version 50331648 (expected");
  }

  @Test
  void countsAreHeldAgainstTheFile() {
    refused(
        () -> HeaderBytes.of(-1, 0).parse(0),
        "header: 18446744073709551615 tensors (expected: at most 32768)");
    refused(() -> HeaderBytes.of(0, 1L << 40).parse(0), "metadata keys (expected: at most 4096)");
    refused(() -> HeaderBytes.of(1000, 0).parse(0), "header: 1000 tensors in 0 bytes");
    refused(() -> HeaderBytes.of(0, 7).parse(0), "header: 7 metadata keys in 0 bytes; the file is");
  }

  @Test
  void damagedMetadataIsRefusedByName() {
    refused(
        () -> HeaderBytes.of(0, 1).key("a", ValueType.TEXT).u64(1L << 50).parse(0),
        "metadata key a: a text of 1125899906842624 bytes (expected: at most 67108864)");
    refused(
        () -> HeaderBytes.of(0, 1).key("a", ValueType.TEXT).u64(9).u32(1).parseTruncated(),
        "metadata key a: it goes on behind the end of the file (49 bytes); the file is truncated");
    refused(
        () -> HeaderBytes.of(0, 1).text("a").u32(13).u64(0).parse(0),
        "metadata key a: unknown value type 13");
    refused(
        () -> HeaderBytes.of(0, 1).text("").u32(4).u32(0).parse(0),
        "metadata key number 1: a name of 0 bytes (expected: 1 to 1024)");
    refused(
        () -> HeaderBytes.of(0, 1).text("a\nb").u32(4).u32(0).parse(0),
        "metadata key number 1: its name holds the byte 10 (expected: printable ASCII)");
    refused(
        () -> HeaderBytes.of(0, 1).key("a", ValueType.ARRAY).u32(4).u64(1L << 61).parse(0),
        "metadata key a: an array of 2305843009213693952 elements in the 0 bytes that are left");
    refused(
        () -> HeaderBytes.of(0, 1).key("a", ValueType.ARRAY).u32(9).u64(1).parse(0),
        "metadata key a: an array of arrays");
    refused(
        () -> HeaderBytes.of(0, 1).key("a", ValueType.ARRAY).u32(99).u64(1).parse(0),
        "metadata key a: unknown value type 99");
    refused(
        () ->
            HeaderBytes.of(0, 2)
                .key("a", ValueType.UINT32)
                .u32(0)
                .key("a", ValueType.UINT32)
                .u32(0)
                .parse(0),
        "metadata key a: it is there twice");
  }

  @Test
  void theAlignmentMustBeAPowerOfTwo() throws Exception {
    refused(
        () -> HeaderBytes.of(0, 1).alignment(0).parse(0),
        "metadata key general.alignment: 0 (expected: a power of two)");
    refused(() -> HeaderBytes.of(0, 1).alignment(48).parse(0), "48 (expected: a power of two)");
    refused(
        () -> HeaderBytes.of(0, 1).key("general.alignment", ValueType.UINT64).u64(32).parse(0),
        "metadata key general.alignment: it is UINT64 (expected: UINT32)");
    assertThat(HeaderBytes.of(0, 1).alignment(1 << 16).parse(0).dataOffset()).isEqualTo(1 << 16);
  }

  @Test
  void damagedTensorsAreRefusedByName() {
    refused(
        () -> HeaderBytes.of(1, 0).text("n".repeat(64)).u32(1).u64(1).u32(0).u64(0).parse(9),
        "tensor number 1: a name of 64 bytes (expected: 1 to 63)");
    refused(
        () -> HeaderBytes.of(1, 0).tensor("t", 0, 1, 1, 1, 1, 1).parse(32),
        "tensor t: 5 dimensions (expected: 1 to 4)");
    refused(
        () -> HeaderBytes.of(1, 0).text("t").u32(0).u64(1).u32(0).u64(0).parse(32),
        "tensor t: 0 dimensions (expected: 1 to 4)");
    refused(
        () -> HeaderBytes.of(1, 0).tensor("t", 0, 4, 0).parse(32), "tensor t: dimensions [4, 0]");
    refused(() -> HeaderBytes.of(1, 0).tensor("t", 0, -4).parse(32), "tensor t: dimensions [-4]");
    refused(
        () -> HeaderBytes.of(1, 0).tensor("t", 0, 1L << 32, 1L << 32).parse(32),
        "tensor t: dimensions [4294967296, 4294967296] overflow 64 bits");
    refused(
        () -> HeaderBytes.of(1, 0).tensor("t", 0, 1L << 61).parse(32),
        "tensor t: dimensions [2305843009213693952] overflow 64 bits");
    refused(
        () -> HeaderBytes.of(1, 0).typedTensor("t", TensorType.Q4_0.number(), 0, 33).parse(32),
        "tensor t: first dimension 33 (expected: a multiple of the 32 elements of a Q4_0 block)");
    for (int type : new int[] {4, 36, 42, -1}) {
      refused(
          () -> HeaderBytes.of(1, 0).typedTensor("t", type, 0, 32).parse(128),
          "tensor t: unknown tensor type " + type);
    }
    refused(
        () -> HeaderBytes.of(1, 0).tensor("t", 8, 4).parse(32),
        "tensor t: offset 8 (expected: a multiple of the alignment 32)");
    refused(
        () -> HeaderBytes.of(1, 0).tensor("t", -32, 4).parse(32),
        "tensor t: offset 18446744073709551584 (expected");
    refused(
        () -> HeaderBytes.of(2, 0).tensor("t", 0, 4).tensor("t", 32, 4).parse(64),
        "tensor t: it is there twice");
    refused(
        () -> HeaderBytes.of(1, 0).tensor("t", 0, 4).parse(15),
        "tensor t: offset 64 + 16 bytes is past the end of the file (79 bytes); the file is"
            + " truncated, fetch it again");
    refused(
        () -> HeaderBytes.of(1, 0).tensor("t", 1L << 62, 4).parse(64),
        "is past the end of the file");
    refused(
        () -> HeaderBytes.of(2, 0).tensor("t", 32, 4).tensor("u", 0, 16).parse(64),
        "tensor t: offset 32 is inside tensor u, which ends at 64");
  }

  @Test
  void aFileThatEndsAnywhereIsRefused() throws Exception {
    Path whole = folder.resolve("whole.gguf");
    new RandomModel(
            Architecture.LLAMA,
            new RandomModel.Shape(1, 32, 1, 1, 32, 512, 64),
            TensorType.Q8_0,
            true,
            1)
        .write(whole);
    byte[] bytes = Files.readAllBytes(whole);
    GgufFile file = GgufFile.open(whole);
    for (int length = 0; length < file.dataOffset(); length += 97) {
      int kept = length;
      assertThatExceptionOfType(GgufException.class)
          .as("%d bytes", length)
          .isThrownBy(() -> GgufFile.parse(whole, ByteBuffer.wrap(bytes, 0, kept).slice(), kept));
    }
    refused(
        () -> GgufFile.parse(whole, ByteBuffer.wrap(bytes), bytes.length - 64),
        "is past the end of the file");
  }

  @Test
  void valuesOfAnotherTypeAreRefusedByName() throws Exception {
    GgufFile file = HeaderBytes.of(0, 1).alignment(32).parse(0);
    refused(() -> file.text("general.alignment"), "it is UINT32 (expected: a text)");
    refused(() -> file.bool("general.alignment"), "it is UINT32 (expected: a truth value)");
    GgufFile text = HeaderBytes.of(0, 1).key("a", ValueType.TEXT).text("b").parse(0);
    refused(() -> text.integer("a"), "metadata key a: it is TEXT (expected: an integer)");
  }

  private static void refused(ThrowingCallable reading, String message) {
    assertThatExceptionOfType(GgufException.class)
        .isThrownBy(reading)
        .withMessageContaining(message);
  }

  private static GgufWriter.TensorData bytes(int count, int value) {
    return out -> {
      ByteBuffer bytes = ByteBuffer.allocate(count);
      while (bytes.hasRemaining()) {
        bytes.put((byte) value);
      }
      out.write(bytes.flip());
    };
  }

  private static GgufValue value(GgufFile file, String key) {
    return Objects.requireNonNull(file.metadata().get(key));
  }
}
