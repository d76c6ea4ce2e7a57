package dev.cloister.engine.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.engine.gguf.random.RandomWeights;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * No header costs more than 64 MiB of heap or gets anything but a {@link GgufException}: shown in a
 * process that has no more heap. {@code -Dcloister.fuzz.headers} says how many are mutated, and
 * {@code -Dcloister.fuzz.seed} chooses others.
 */
class HostileHeadersTest {

  private static final List<String> LITTLE_HEAP = List.of("-Xmx64m", "-XX:+UseSerialGC");

  private static final int KEYS = 4096;
  private static final int TENSORS = 32_768;

  @TempDir Path folder;

  @Test
  void mutatedHeadersAreReadOrRefused() throws Exception {
    String count = System.getProperty("cloister.fuzz.headers", "1000000");
    String seed = System.getProperty("cloister.fuzz.seed", "1");
    List<String> arguments = new ArrayList<>(List.of(count, seed));
    for (Architecture architecture :
        List.of(Architecture.LLAMA, Architecture.GEMMA3, Architecture.JAMBA)) {
      arguments.add(small(architecture).toString());
    }
    List<String> lines =
        ChildJvm.run(folder, MutatedHeaders.class, LITTLE_HEAP, arguments.toArray(String[]::new));
    assertThat(lines)
        .as("seed %s", seed)
        .anyMatch(line -> line.matches("sound: \\d+, refused: \\d+"));
  }

  /** A model of one layer with 8 tokens: a header of 2 KiB or so. */
  private Path small(Architecture architecture) throws IOException {
    Path path = folder.resolve(architecture.key() + ".gguf");
    String key = architecture.key() + ".";
    new GgufWriter()
        .put("general.architecture", GgufValue.ofText(architecture.key()))
        .put("general.alignment", GgufValue.ofUint32(32))
        .put(key + "block_count", GgufValue.ofUint32(2))
        .put(key + "context_length", GgufValue.ofUint32(64))
        .put(key + "embedding_length", GgufValue.ofUint32(32))
        .put(key + "feed_forward_length", GgufValue.ofInts(32, 64))
        .put(key + "attention.head_count", GgufValue.ofUint32(4))
        .put(key + "attention.head_count_kv", GgufValue.ofInts(0, 2))
        .put(key + "rope.freq_base", GgufValue.ofFloat32(10_000))
        .put("tokenizer.ggml.model", GgufValue.ofText("llama"))
        .put("tokenizer.ggml.tokens", GgufValue.ofTexts(List.of("<s>", "a", "b", "水")))
        .put("tokenizer.ggml.scores", GgufValue.ofFloats(0, -1, -2, -3))
        .put("tokenizer.ggml.token_type", GgufValue.ofInts(3, 1, 1, 1))
        .put("tokenizer.ggml.add_bos_token", GgufValue.ofBool(true))
        .put("tokenizer.chat_template", GgufValue.ofText("{{ messages }}"))
        .tensor(
            "token_embd.weight",
            TensorType.Q8_0,
            List.of(32L, 4L),
            new RandomWeights(TensorType.Q8_0, 128, 1, 0, 1, 0))
        .tensor(
            "blk.0.attn_norm.weight",
            TensorType.F32,
            List.of(32L),
            new RandomWeights(TensorType.F32, 32, 1, 0, 1, 0))
        .write(path);
    return path;
  }

  /** As many keys, tensors and tokens as are taken, the names as long as they may be. */
  @Test
  void theLargestHeaderFitsTheHeap() throws Exception {
    Path file = folder.resolve("large.gguf");
    Files.write(file, largest());
    List<String> lines = ChildJvm.run(folder, OpenModel.class, LITTLE_HEAP, file.toString());
    assertThat(lines).singleElement().asString().startsWith("tensor token_embd.weight is missing");
  }

  private static byte[] largest() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    put(bytes, 8, GgufFile.MAGIC | (3L << 32));
    put(bytes, 8, TENSORS);
    put(bytes, 8, KEYS);
    Map<String, GgufValue> model =
        Map.of(
            "general.architecture", GgufValue.ofText("llama"),
            "llama.block_count", GgufValue.ofUint32(1),
            "llama.context_length", GgufValue.ofUint32(1),
            "llama.embedding_length", GgufValue.ofUint32(2),
            "llama.attention.head_count", GgufValue.ofUint32(1),
            "tokenizer.ggml.model", GgufValue.ofText("llama"),
            "tokenizer.ggml.tokens", GgufValue.ofTexts(tokens()));
    model.forEach(
        (key, value) -> {
          putText(bytes, key);
          put(bytes, 4, value.type().number());
          byte[] stored = new byte[value.bytes().remaining()];
          value.bytes().get(stored);
          bytes.writeBytes(stored);
        });
    for (int i = model.size(); i < KEYS; i++) {
      putText(bytes, "k".repeat(1019) + "%05d".formatted(i));
      put(bytes, 4, ValueType.UINT8.number());
      put(bytes, 1, 0);
    }
    for (int i = 0; i < TENSORS; i++) {
      putText(bytes, "t".repeat(58) + "%05d".formatted(i));
      put(bytes, 4, 4);
      put(bytes, 8, 1000);
      put(bytes, 8, 1);
      put(bytes, 8, 1);
      put(bytes, 8, 1);
      put(bytes, 4, TensorType.F32.number());
      put(bytes, 8, i * 4000L);
    }
    return bytes.toByteArray();
  }

  private static List<String> tokens() {
    return IntStream.range(0, 1 << 20).mapToObj(Integer::toString).toList();
  }

  private static void putText(ByteArrayOutputStream out, String text) {
    put(out, 8, text.length());
    out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
  }

  private static void put(ByteArrayOutputStream out, int size, long value) {
    out.write(
        ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array(), 0, size);
  }
}
