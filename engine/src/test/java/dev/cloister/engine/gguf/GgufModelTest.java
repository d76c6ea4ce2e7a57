package dev.cloister.engine.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.cloister.engine.gguf.random.RandomModel;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GgufModelTest {

  private static final Path DEMO_MODEL =
      Path.of("..", "models", "demo", "cloister-tiny-q8_0.gguf").toAbsolutePath().normalize();

  @TempDir Path folder;
  private GgufFile sound;

  @BeforeEach
  void soundModel() throws Exception {
    sound = random(Architecture.LLAMA).file();
  }

  @Test
  void theDemoModelIsReadWhole() throws Exception {
    GgufModel model = GgufModel.open(DEMO_MODEL);
    assertThat(model.architecture()).isEqualTo("llama");
    assertThat(model.layers()).isEqualTo(8);
    assertThat(model.embeddingLength()).isEqualTo(256);
    assertThat(model.heads()).hasSize(8).containsOnly(8);
    assertThat(model.keyValueHeads()).hasSize(8).containsOnly(4);
    assertThat(model.contextTokens()).isEqualTo(512);
    assertThat(model.vocabulary()).isEqualTo(2048);
    assertThat(model.tokenizer()).isEqualTo("llama");
    assertThat(model.addsBeginToken()).isFalse();
    assertThat(model.chatTemplate().orElseThrow()).contains("bos_token");
    assertThat(model.pooling()).isEmpty();
    assertThat(model.quantization()).isEqualTo("Q8_0");
    assertThat(model.parameters()).isBetween(6_000_000L, 6_300_000L);
  }

  @ParameterizedTest
  @EnumSource
  void randomModelsAreSound(Architecture architecture) throws Exception {
    GgufModel model = random(architecture);
    assertThat(model.architecture()).isEqualTo(architecture.key());
    assertThat(model.heads()).hasSize(model.layers()).containsOnly(4);
    assertThat(model.addsBeginToken()).isTrue();
    if (architecture == Architecture.JAMBA) {
      assertThat(model.keyValueHeads()).containsExactly(0, 2, 0, 2);
    } else {
      assertThat(model.keyValueHeads()).hasSize(model.layers()).containsOnly(2);
    }
  }

  @Test
  void whatLlamaCppNeedsMustBeThere() {
    for (String key :
        List.of(
            "general.architecture",
            "llama.block_count",
            "llama.embedding_length",
            "llama.context_length",
            "llama.attention.head_count",
            "tokenizer.ggml.model",
            "tokenizer.ggml.tokens")) {
      refused(changed(key, null), "metadata key " + key + " is missing");
    }
    refused(() -> GgufModel.of(HeaderBytes.of(0, 0).parse(0)), "general.architecture is missing");
  }

  @Test
  void sizesMustBePossible() {
    refused(changed("llama.block_count", uint(0)), "llama.block_count: 0 (expected: 1 to 512)");
    refused(changed("llama.block_count", uint(513)), "llama.block_count: 513 (expected: 1 to 512)");
    refused(changed("llama.embedding_length", uint(0)), "0 (expected: 1 to 1048576)");
    refused(changed("llama.context_length", uint(0)), "0 (expected: 1 to 2147483647)");
    refused(changed("llama.attention.head_count", uint(0)), "head_count: 0 (expected: 1 or more)");
    refused(
        changed("llama.attention.head_count_kv", uint(3)),
        "llama.attention.head_count_kv: 3 in layer 0 (expected: a divisor of its 4 heads)");
    refused(
        changed("llama.attention.head_count_kv", GgufValue.ofInts(2, 2, 2)),
        "llama.attention.head_count_kv: 3 elements (expected: one for each of 4 layers)");
    refused(
        changed("llama.attention.head_count", GgufValue.ofInts(4, 4, 4, -4)),
        "llama.attention.head_count: -4 (expected: 0 to 65536)");
    refused(
        changed("llama.rope.dimension_count", uint(31)),
        "llama.rope.dimension_count: 31 (expected: an even number up to 1048576)");
    refused(changed("llama.attention.key_length", uint(31)), "key_length: 31 (expected: an even");
    refused(
        changed("llama.expert_count", uint(513)), "llama.expert_count: 513 (expected: 0 to 512)");
    refused(
        changed("llama.expert_count", uint(8)), "llama.expert_used_count: 0 (expected: 1 to 8)");
    refused(changed("llama.expert_used_count", uint(2)), "expert_used_count: 2 (expected: 0 to 0)");
  }

  @Test
  void typesMustBeThoseThatLlamaCppReads() {
    refused(changed("general.architecture", uint(1)), "it is UINT32 (expected: a text)");
    refused(
        changed("general.architecture", GgufValue.ofText("x".repeat(1 << 20))),
        "general.architecture: a text of 1048576 bytes (expected: at most 1 MiB)");
    refused(
        changed("llama.block_count", GgufValue.ofText("4")), "it is TEXT (expected: an integer)");
    refused(
        changed("llama.feed_forward_length", GgufValue.ofFloats(1, 2, 3, 4)),
        "it is 4 x FLOAT32 (expected: an integer or integers)");
    refused(
        changed("tokenizer.ggml.tokens", uint(4)), "it is UINT32 (expected: an array of texts)");
    refused(
        changed("tokenizer.ggml.scores", GgufValue.ofInts(1)),
        "tokenizer.ggml.scores: it is 1 x INT32 (expected: an array of FLOAT32)");
    refused(
        changed("tokenizer.ggml.scores", GgufValue.ofFloats(1)),
        "tokenizer.ggml.scores: 1 elements (expected: one for each of 1024 tokens)");
    refused(
        changed("tokenizer.ggml.token_type", GgufValue.ofInts(1)),
        "tokenizer.ggml.token_type: 1 elements (expected: one for each of 1024 tokens)");
    refused(
        changed("tokenizer.ggml.merges", GgufValue.ofInts(1)),
        "tokenizer.ggml.merges: it is 1 x INT32 (expected: an array of TEXT)");
    refused(
        changed("tokenizer.ggml.precompiled_charsmap", GgufValue.ofText("x")),
        "tokenizer.ggml.precompiled_charsmap: it is TEXT (expected: an array of UINT8)");
    refused(changed("tokenizer.ggml.add_bos_token", uint(1)), "expected: a truth value");
    refused(changed("llama.pooling_type", uint(5)), "llama.pooling_type: 5 (expected: 0 to 4)");
  }

  @Test
  void tokensMustDiffer() {
    refused(
        changed("tokenizer.ggml.tokens", GgufValue.ofTexts(Collections.nCopies(1024, "same"))),
        "tokenizer.ggml.tokens: two tokens have the same text (expected: all different)");
    refused(
        changed("tokenizer.ggml.tokens", GgufValue.ofTexts(List.of())),
        "tokenizer.ggml.tokens: 0 (expected: 1 to 1048576)");
  }

  @Test
  void theEmbeddingMustFit() {
    refused(
        changed("llama.embedding_length", uint(64)),
        "tensor token_embd.weight: dimensions [128, 1024] (expected: embedding length 64,"
            + " vocabulary 1024)");
    refused(
        () -> GgufModel.of(new GgufFile(sound.path(), sound.metadata(), Map.of(), 0)),
        "tensor token_embd.weight is missing");
  }

  @Test
  void theBeginTokenGoesByTheTokenizerWhereNothingIsStated() throws Exception {
    Map<String, GgufValue> metadata = new HashMap<>(sound.metadata());
    metadata.remove("tokenizer.ggml.add_bos_token");
    assertThat(model(metadata).addsBeginToken()).isTrue();
    metadata.put("tokenizer.ggml.model", GgufValue.ofText("gpt2"));
    assertThat(model(metadata).addsBeginToken()).isFalse();
    metadata.put("tokenizer.ggml.pre", GgufValue.ofText("llama-bpe"));
    assertThat(model(metadata).addsBeginToken()).isTrue();
  }

  @Test
  void embeddingModelsSayHowTheyPool() throws Exception {
    Map<String, GgufValue> metadata = new HashMap<>(sound.metadata());
    metadata.put("llama.pooling_type", uint(3));
    metadata.remove("general.file_type");
    GgufModel model = model(metadata);
    assertThat(model.pooling()).isEqualTo(Optional.of(GgufModel.Pooling.LAST));
    assertThat(model.quantization()).isEqualTo("F16");
  }

  private GgufModel random(Architecture architecture) throws Exception {
    Path path = folder.resolve(architecture.key() + ".gguf");
    new RandomModel(architecture, RandomModel.Shape.tiny(architecture), TensorType.F16, true, 1)
        .write(path);
    return GgufModel.open(path);
  }

  private static GgufValue uint(long value) {
    return GgufValue.ofUint32(value);
  }

  private interface Reading {
    GgufModel read() throws GgufException;
  }

  /** The sound model with one value replaced, or removed. */
  private Reading changed(String key, @Nullable GgufValue value) {
    Map<String, GgufValue> metadata = new HashMap<>(sound.metadata());
    if (value == null) {
      metadata.remove(key);
    } else {
      metadata.put(key, value);
    }
    return () -> model(metadata);
  }

  private GgufModel model(Map<String, GgufValue> metadata) throws GgufException {
    return GgufModel.of(new GgufFile(sound.path(), metadata, sound.tensors(), sound.dataOffset()));
  }

  private static void refused(Reading reading, String message) {
    assertThatExceptionOfType(GgufException.class)
        .isThrownBy(reading::read)
        .withMessageContaining(message);
  }
}
