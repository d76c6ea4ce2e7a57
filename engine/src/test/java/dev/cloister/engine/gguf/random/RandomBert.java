package dev.cloister.engine.gguf.random;

import dev.cloister.engine.gguf.GgufModel.Pooling;
import dev.cloister.engine.gguf.GgufValue;
import dev.cloister.engine.gguf.GgufWriter;
import dev.cloister.engine.gguf.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The smallest encoder that llama.cpp loads: BERT with random weights and a WordPiece vocabulary of
 * letters and words. Source of the names: llama.cpp's {@code src/llama-arch.cpp}.
 *
 * @param pooling with {@link Pooling#RANK} it has a ranking head
 */
public record RandomBert(Pooling pooling) {
  public static final int WIDTH = 64;
  public static final int CONTEXT = 128;

  private static final String KEY = "bert.";
  private static final int LAYERS = 2;
  private static final int HEADS = 4;
  private static final int FEED_FORWARD = 128;
  private static final List<String> WORDS =
      List.of("water", "fire", "stone", "river", "tiger", "printer", "room", "is", "in", "the");

  public void write(Path file) throws IOException {
    GgufWriter writer = new GgufWriter();
    writer
        .put("general.architecture", GgufValue.ofText("bert"))
        .put(KEY + "block_count", GgufValue.ofUint32(LAYERS))
        .put(KEY + "context_length", GgufValue.ofUint32(CONTEXT))
        .put(KEY + "embedding_length", GgufValue.ofUint32(WIDTH))
        .put(KEY + "feed_forward_length", GgufValue.ofUint32(FEED_FORWARD))
        .put(KEY + "attention.head_count", GgufValue.ofUint32(HEADS))
        .put(KEY + "attention.layer_norm_epsilon", GgufValue.ofFloat32(1e-5f))
        .put(KEY + "attention.causal", GgufValue.ofBool(false))
        .put(KEY + "pooling_type", GgufValue.ofUint32(poolingType()));
    List<String> tokens = putVocabulary(writer);
    matrix(writer, "token_embd", WIDTH, tokens.size());
    matrix(writer, "position_embd", WIDTH, CONTEXT);
    matrix(writer, "token_types", WIDTH, 2);
    norm(writer, "token_embd_norm");
    for (int layer = 0; layer < LAYERS; layer++) {
      String block = "blk." + layer + ".";
      for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_output")) {
        linear(writer, block + name, WIDTH, WIDTH);
      }
      norm(writer, block + "attn_output_norm");
      linear(writer, block + "ffn_up", WIDTH, FEED_FORWARD);
      linear(writer, block + "ffn_down", FEED_FORWARD, WIDTH);
      norm(writer, block + "layer_output_norm");
    }
    if (pooling == Pooling.RANK) {
      linear(writer, "cls", WIDTH, WIDTH);
      linear(writer, "cls.output", WIDTH, 1);
    }
    writer.write(file);
  }

  /** Of enum llama_pooling_type. */
  private int poolingType() {
    return switch (pooling) {
      case NONE -> 0;
      case MEAN -> 1;
      case CLS -> 2;
      case LAST -> 3;
      case RANK -> 4;
    };
  }

  /** A token that begins a word carries a mark; what continues one has none. */
  private static List<String> putVocabulary(GgufWriter writer) {
    List<String> tokens = new ArrayList<>(List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"));
    WORDS.forEach(word -> tokens.add("▁" + word));
    for (char letter = 'a'; letter <= 'z'; letter++) {
      tokens.add("▁" + letter);
      tokens.add(String.valueOf(letter));
    }
    int[] types = new int[tokens.size()];
    Arrays.fill(types, 1);
    Arrays.fill(types, 0, 5, 3);
    writer
        .put("tokenizer.ggml.model", GgufValue.ofText("bert"))
        .put("tokenizer.ggml.tokens", GgufValue.ofTexts(tokens))
        .put("tokenizer.ggml.token_type", GgufValue.ofInts(types))
        .put("tokenizer.ggml.token_type_count", GgufValue.ofUint32(2))
        .put("tokenizer.ggml.padding_token_id", GgufValue.ofUint32(0))
        .put("tokenizer.ggml.unknown_token_id", GgufValue.ofUint32(1))
        .put("tokenizer.ggml.bos_token_id", GgufValue.ofUint32(2))
        .put("tokenizer.ggml.cls_token_id", GgufValue.ofUint32(2))
        .put("tokenizer.ggml.seperator_token_id", GgufValue.ofUint32(3))
        .put("tokenizer.ggml.mask_token_id", GgufValue.ofUint32(4));
    return tokens;
  }

  private static void linear(GgufWriter writer, String name, long inputs, long outputs) {
    matrix(writer, name, inputs, outputs);
    add(writer, name + ".bias", 0, 0.1f, outputs);
  }

  private static void matrix(GgufWriter writer, String name, long inputs, long outputs) {
    add(writer, name + ".weight", 0, (float) (1 / Math.sqrt((double) inputs)), inputs, outputs);
  }

  private static void norm(GgufWriter writer, String name) {
    add(writer, name + ".weight", 1, 0.1f, WIDTH);
    add(writer, name + ".bias", 0, 0.1f, WIDTH);
  }

  private static void add(
      GgufWriter writer, String name, float mean, float deviation, long... dimensions) {
    long elements = Arrays.stream(dimensions).reduce(1, Math::multiplyExact);
    writer.tensor(
        name,
        TensorType.F32,
        Arrays.stream(dimensions).boxed().toList(),
        new RandomWeights(TensorType.F32, elements, name.hashCode(), mean, deviation, 0));
  }
}
