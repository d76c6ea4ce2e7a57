package dev.cloister.engine.gguf.random;

import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.GgufValue;
import dev.cloister.engine.gguf.GgufWriter;
import dev.cloister.engine.gguf.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A model with random weights that llama.cpp loads and runs like a real one of its size; what it
 * says is nonsense. The same model gives the same file, byte for byte, and the same seed the same
 * weights in every type, but for rounding. Weights deviate by the inverse square root of their
 * inputs, so that values keep their size from layer to layer.
 *
 * @param type of the matrices: F32, F16, Q8_0 or Q4_0; norms, biases and the like are F32
 * @param chatTemplate whether the file carries a chat template (ChatML)
 */
public record RandomModel(
    Architecture architecture, Shape shape, TensorType type, boolean chatTemplate, long seed) {

  private static final int CONVOLUTION = 4;
  private static final int STATE = 16;

  /**
   * A model's sizes.
   *
   * @param width of the hidden state
   * @param keyValueHeads heads that queries share; heads is a multiple of them
   * @param feedForward width of the feed-forward network
   * @param vocabulary tokens, at least 512
   * @param context tokens the model claims to be trained for
   */
  public record Shape(
      int layers,
      int width,
      int heads,
      int keyValueHeads,
      int feedForward,
      int vocabulary,
      int context) {

    /**
     * Small enough for tests: 0.6 to 5 million parameters, with as few layers as llama.cpp b4916
     * takes.
     */
    public static Shape tiny(Architecture architecture) {
      int layers =
          switch (architecture) {
            case GEMMA2 -> 26;
            case GEMMA3 -> 6;
            case LLAMA, QWEN2, GEMMA, PHI3, OLMO2, QWEN3, JAMBA -> 4;
          };
      return new Shape(layers, 128, 4, 2, 256, 1024, 512);
    }

    /** The sizes of Llama 3.2 1B with a smaller vocabulary: 1.1 billion parameters. */
    public static final Shape BILLION = new Shape(16, 2048, 32, 8, 8192, 32_000, 8192);

    public Shape {
      require("layers", layers, 1);
      require("heads", heads, 1);
      require("keyValueHeads", keyValueHeads, 1);
      // Rows are made of blocks of 32, and rotary positions turn pairs.
      require("width", width, 32);
      require("width", width, 2 * heads);
      require("heads", heads, keyValueHeads);
      require("feedForward", feedForward, 32);
      require("context", context, 1);
      if (vocabulary < RandomVocabulary.MIN_SIZE) {
        throw new IllegalArgumentException(
            "vocabulary: %d (expected: %d or more)"
                .formatted(vocabulary, RandomVocabulary.MIN_SIZE));
      }
    }

    private static void require(String name, int value, int divisor) {
      if (value < 1 || value % divisor != 0) {
        throw new IllegalArgumentException(
            "%s: %d (expected: a multiple of %d)".formatted(name, value, divisor));
      }
    }

    long headWidth() {
      return width / heads;
    }

    long keyValueWidth() {
      return headWidth() * keyValueHeads;
    }
  }

  public RandomModel {
    fileType(type);
  }

  /** {@code enum llama_ftype}. */
  private static int fileType(TensorType type) {
    return switch (type) {
      case F32 -> 0;
      case F16 -> 1;
      case Q4_0 -> 2;
      case Q8_0 -> 7;
      default ->
          throw new IllegalArgumentException(
              "type: %s (expected: F32, F16, Q8_0 or Q4_0)".formatted(type));
    };
  }

  /** Writes the model's file. */
  public void write(Path file) throws IOException {
    GgufWriter writer = new GgufWriter();
    putMetadata(writer);
    new RandomVocabulary(shape.vocabulary).putInto(writer, chatTemplate);
    new Tensors(writer).add();
    writer.write(file);
  }

  private void putMetadata(GgufWriter writer) {
    String key = architecture.key() + ".";
    writer
        .put("general.architecture", GgufValue.ofText(architecture.key()))
        .put("general.type", GgufValue.ofText("model"))
        .put("general.name", GgufValue.ofText("Random weights"))
        .put("general.file_type", GgufValue.ofUint32(fileType(type)))
        .put("general.quantization_version", GgufValue.ofUint32(2))
        .put(key + "block_count", GgufValue.ofUint32(shape.layers))
        .put(key + "context_length", GgufValue.ofUint32(shape.context))
        .put(key + "embedding_length", GgufValue.ofUint32(shape.width))
        .put(key + "feed_forward_length", GgufValue.ofUint32(shape.feedForward))
        .put(key + "vocab_size", GgufValue.ofUint32(shape.vocabulary))
        .put(key + "attention.head_count", GgufValue.ofUint32(shape.heads))
        .put(key + "attention.head_count_kv", GgufValue.ofUint32(shape.keyValueHeads))
        .put(key + "attention.key_length", GgufValue.ofUint32(shape.headWidth()))
        .put(key + "attention.value_length", GgufValue.ofUint32(shape.headWidth()))
        .put(key + "attention.layer_norm_rms_epsilon", GgufValue.ofFloat32(1e-5f))
        .put(key + "rope.dimension_count", GgufValue.ofUint32(shape.headWidth()))
        .put(key + "rope.freq_base", GgufValue.ofFloat32(10_000));
    switch (architecture) {
      case LLAMA, QWEN2, QWEN3, GEMMA, OLMO2 -> {}
      case GEMMA2, GEMMA3, PHI3 ->
          writer.put(
              key + "attention.sliding_window", GgufValue.ofUint32(Math.max(1, shape.context / 4)));
      case JAMBA -> {
        int[] heads = new int[shape.layers];
        for (int layer = 0; layer < heads.length; layer++) {
          heads[layer] = attends(layer) ? shape.keyValueHeads : 0;
        }
        writer
            .put(key + "attention.head_count_kv", GgufValue.ofInts(heads))
            .put(key + "ssm.conv_kernel", GgufValue.ofUint32(CONVOLUTION))
            .put(key + "ssm.inner_size", GgufValue.ofUint32(2L * shape.width))
            .put(key + "ssm.state_size", GgufValue.ofUint32(STATE))
            .put(key + "ssm.time_step_rank", GgufValue.ofUint32(timeStepRank()));
      }
    }
    if (architecture == Architecture.GEMMA2) {
      writer
          .put(key + "attn_logit_softcapping", GgufValue.ofFloat32(50))
          .put(key + "final_logit_softcapping", GgufValue.ofFloat32(30));
    }
  }

  /** Jamba mixes layers with attention and layers with a recurrent state; here they take turns. */
  private boolean attends(int layer) {
    return architecture != Architecture.JAMBA || layer % 2 == 1;
  }

  private int timeStepRank() {
    return Math.ceilDiv(shape.width, 16);
  }

  /** Every tensor of the model, by llama.cpp's names and with the dimensions it asks for. */
  private final class Tensors {
    private final GgufWriter writer;
    private final long width = shape.width;
    private final long inner = 2L * shape.width;

    Tensors(GgufWriter writer) {
      this.writer = writer;
    }

    void add() {
      addVocabulary();
      for (int layer = 0; layer < shape.layers; layer++) {
        String block = "blk." + layer + ".";
        if (attends(layer)) {
          addAttention(block);
        } else {
          addRecurrence(block);
        }
        addNorms(block);
        addFeedForward(block);
      }
    }

    /**
     * Embeddings have the size of what layers add to them, so that a token tells on the next. The
     * output norm has random signs: without them, a model whose output is its embedding repeats the
     * last token.
     */
    private void addVocabulary() {
      double unit = 1 / Math.sqrt(shape.width);
      switch (architecture) {
        case LLAMA, PHI3, OLMO2, JAMBA -> {
          vocabulary("token_embd.weight", 1);
          add("output_norm.weight", TensorType.F32, 0, 1, 0, width);
          vocabulary("output.weight", unit);
        }
        case QWEN2, QWEN3 -> {
          vocabulary("token_embd.weight", 1);
          add("output_norm.weight", TensorType.F32, 0, unit, 0, width);
        }
        // These scale embeddings up themselves.
        case GEMMA, GEMMA2, GEMMA3 -> {
          vocabulary("token_embd.weight", unit);
          add("output_norm.weight", TensorType.F32, 0, 1, 0, width);
        }
      }
    }

    private void addNorms(String block) {
      if (architecture != Architecture.OLMO2) {
        norm(block + "attn_norm.weight", width);
        norm(block + "ffn_norm.weight", width);
      }
      switch (architecture) {
        case GEMMA2, GEMMA3, OLMO2 -> {
          norm(block + "post_attention_norm.weight", width);
          norm(block + "post_ffw_norm.weight", width);
        }
        case LLAMA, QWEN2, GEMMA, PHI3, QWEN3, JAMBA -> {}
      }
      switch (architecture) {
        case GEMMA3, QWEN3 -> {
          norm(block + "attn_q_norm.weight", shape.headWidth());
          norm(block + "attn_k_norm.weight", shape.headWidth());
        }
        case OLMO2 -> {
          norm(block + "attn_q_norm.weight", width);
          norm(block + "attn_k_norm.weight", shape.keyValueWidth());
        }
        case LLAMA, QWEN2, GEMMA, GEMMA2, PHI3, JAMBA -> {}
      }
    }

    private void addAttention(String block) {
      if (architecture == Architecture.PHI3) {
        matrix(block + "attn_qkv.weight", width, width + 2 * shape.keyValueWidth());
      } else {
        matrix(block + "attn_q.weight", width, width);
        matrix(block + "attn_k.weight", width, shape.keyValueWidth());
        matrix(block + "attn_v.weight", width, shape.keyValueWidth());
      }
      if (architecture == Architecture.QWEN2) {
        vector(block + "attn_q.bias", 0, width);
        vector(block + "attn_k.bias", 0, shape.keyValueWidth());
        vector(block + "attn_v.bias", 0, shape.keyValueWidth());
      }
      matrix(block + "attn_output.weight", width, width);
    }

    private void addFeedForward(String block) {
      if (architecture == Architecture.PHI3) {
        matrix(block + "ffn_up.weight", width, 2L * shape.feedForward);
      } else {
        matrix(block + "ffn_gate.weight", width, shape.feedForward);
        matrix(block + "ffn_up.weight", width, shape.feedForward);
      }
      matrix(block + "ffn_down.weight", shape.feedForward, width);
    }

    private void addRecurrence(String block) {
      matrix(block + "ssm_in.weight", width, 2 * inner);
      vector(block + "ssm_conv1d.weight", 0, CONVOLUTION, inner);
      vector(block + "ssm_conv1d.bias", 0, inner);
      matrix(block + "ssm_x.weight", inner, timeStepRank() + 2 * STATE);
      norm(block + "ssm_dt_norm.weight", timeStepRank());
      norm(block + "ssm_b_norm.weight", STATE);
      norm(block + "ssm_c_norm.weight", STATE);
      vector(block + "ssm_dt.weight", 0, timeStepRank(), inner);
      vector(block + "ssm_dt.bias", 0, inner);
      // Negative, so that the state decays.
      vector(block + "ssm_a", -1, STATE, inner);
      norm(block + "ssm_d", inner);
      matrix(block + "ssm_out.weight", inner, width);
    }

    private void matrix(String name, long inputs, long outputs) {
      add(name, type, 0, 1 / Math.sqrt((double) inputs), 0, inputs, outputs);
    }

    /** A row for each token; those of bytes and special tokens are too small to be chosen. */
    private void vocabulary(String name, double deviation) {
      long quiet = width * RandomVocabulary.SPECIAL;
      add(name, type, 0, deviation, quiet, width, shape.vocabulary);
    }

    private void norm(String name, long size) {
      vector(name, 1, size);
    }

    /** A norm, bias or the like: never quantized. */
    private void vector(String name, float mean, long... dimensions) {
      add(name, TensorType.F32, mean, 0.1, 0, dimensions);
    }

    private void add(
        String name,
        TensorType stored,
        float mean,
        double deviation,
        long quiet,
        long... dimensions) {
      long elements = Arrays.stream(dimensions).reduce(1, Math::multiplyExact);
      // Each tensor has a seed of its own: the same, whatever stands before it in the file.
      long ownSeed = seed * 31 + name.hashCode();
      writer.tensor(
          name,
          stored,
          Arrays.stream(dimensions).boxed().toList(),
          new RandomWeights(stored, elements, ownSeed, mean, (float) deviation, quiet));
    }
  }
}
