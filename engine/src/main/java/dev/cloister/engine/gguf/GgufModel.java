package dev.cloister.engine.gguf;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The model in a GGUF file, whose metadata was found fit for llama.cpp: what that relies on without
 * a check of its own, and what it would end the process over, is there and of the right type.
 *
 * @param architecture as the file names it; {@link Architecture#of} knows some
 * @param heads attention heads of each layer
 * @param keyValueHeads of each layer; 0 where a layer has no attention
 * @param contextTokens the context the model was trained for
 * @param tokenizer the kind of tokenizer: {@code llama}, {@code gpt2}, {@code bert} and others, or
 *     {@code none}
 * @param addsBeginToken whether the tokenizer puts a beginning-of-sequence token before a prompt
 * @param pooling how a sequence's embedding is made, where the file says so
 * @param quantization how the weights are stored, in llama.cpp's words, such as {@code Q4_K_M}
 * @param parameters the number of weights
 */
public record GgufModel(
    GgufFile file,
    String architecture,
    int layers,
    int embeddingLength,
    List<Integer> heads,
    List<Integer> keyValueHeads,
    int contextTokens,
    int vocabulary,
    String tokenizer,
    boolean addsBeginToken,
    Optional<String> chatTemplate,
    Optional<Pooling> pooling,
    String quantization,
    long parameters) {

  /** How the vectors of a sequence's tokens become one; {@code enum llama_pooling_type}. */
  public enum Pooling {
    NONE,
    MEAN,
    CLS,
    LAST,
    /** A score for reranking instead of a vector. */
    RANK
  }

  private static final List<Pooling> POOLINGS = List.of(Pooling.values());

  /** {@code LLAMA_MAX_LAYERS}: llama.cpp's own arrays have so many elements. */
  private static final int MAX_LAYERS = 512;

  private static final int MAX_WIDTH = 1 << 20;
  private static final int MAX_HEADS = 1 << 16;
  private static final int MAX_VOCABULARY = 1 << 20;
  private static final String TOKENS = "tokenizer.ggml.tokens";
  private static final String EMBEDDING = "token_embd.weight";

  /** What llama.cpp calls {@code tokenizer.ggml.pre} of BPE tokenizers that add the token. */
  private static final Set<String> BEGINNING_PRE_TOKENIZERS =
      Set.of(
          "llama3",
          "llama-v3",
          "llama-bpe",
          "falcon3",
          "falcon-h1",
          "pixtral",
          "midm-2.0",
          "lfm2",
          "tekken",
          "chameleon");

  /** {@code enum llama_ftype}. */
  private static final Map<Integer, String> FILE_TYPES =
      Map.ofEntries(
          Map.entry(0, "F32"),
          Map.entry(1, "F16"),
          Map.entry(2, "Q4_0"),
          Map.entry(3, "Q4_1"),
          Map.entry(7, "Q8_0"),
          Map.entry(8, "Q5_0"),
          Map.entry(9, "Q5_1"),
          Map.entry(10, "Q2_K"),
          Map.entry(11, "Q3_K_S"),
          Map.entry(12, "Q3_K_M"),
          Map.entry(13, "Q3_K_L"),
          Map.entry(14, "Q4_K_S"),
          Map.entry(15, "Q4_K_M"),
          Map.entry(16, "Q5_K_S"),
          Map.entry(17, "Q5_K_M"),
          Map.entry(18, "Q6_K"),
          Map.entry(32, "BF16"));

  public GgufModel {
    heads = List.copyOf(heads);
    keyValueHeads = List.copyOf(keyValueHeads);
  }

  /**
   * Opens and checks a model's file.
   *
   * @throws GgufException when the file is no sound GGUF file, or holds no model
   */
  public static GgufModel open(Path file) throws GgufException {
    return of(GgufFile.open(file));
  }

  /**
   * Checks the model in a file.
   *
   * @throws GgufException when the file holds none
   */
  public static GgufModel of(GgufFile file) throws GgufException {
    return new Reader(file).read();
  }

  private static final class Reader {
    private final GgufFile file;
    private final String architecture;
    private final boolean known;

    Reader(GgufFile file) throws GgufException {
      this.file = file;
      this.architecture =
          file.text("general.architecture").orElseThrow(() -> missing("general.architecture"));
      this.known = Architecture.of(architecture).isPresent();
    }

    GgufModel read() throws GgufException {
      int layers = required(key("block_count"), MAX_LAYERS);
      int width = required(key("embedding_length"), MAX_WIDTH);
      int context = required(key("context_length"), Integer.MAX_VALUE);
      perLayer("feed_forward_length", layers, 1 << 24);
      List<Integer> heads = heads(layers, width);
      checkExperts();
      String tokenizer =
          file.text("tokenizer.ggml.model").orElseThrow(() -> missing("tokenizer.ggml.model"));
      int vocabulary =
          tokenizer.equals("none") || tokenizer.equals("no_vocab")
              ? required(key("vocab_size"), MAX_VOCABULARY)
              : checkedTokens();
      checkEmbedding(width, vocabulary);
      return new GgufModel(
          file,
          architecture,
          layers,
          width,
          heads,
          keyValueHeads(heads),
          context,
          vocabulary,
          tokenizer,
          addsBeginToken(tokenizer),
          file.text("tokenizer.chat_template"),
          pooling(),
          quantization(),
          file.tensors().values().stream().mapToLong(TensorInfo::elements).sum());
    }

    private String key(String suffix) {
      return architecture + "." + suffix;
    }

    private static GgufException missing(String key) {
      return new GgufException(
          "metadata key %s is missing: the file holds no model that llama.cpp can run"
              .formatted(key));
    }

    private int required(String key, int most) throws GgufException {
      return inRange(key, file.integer(key).orElseThrow(() -> missing(key)), 1, most);
    }

    private static int inRange(String key, long value, int least, int most) throws GgufException {
      if (value < least || value > most) {
        throw new GgufException(
            "metadata key %s: %d (expected: %d to %d)".formatted(key, value, least, most));
      }
      return (int) value;
    }

    /** One value for all layers, or an array of one for each; empty where there is neither. */
    private List<Integer> perLayer(String suffix, int layers, int most) throws GgufException {
      String key = key(suffix);
      GgufValue value = file.metadata().get(key);
      if (value == null) {
        return List.of();
      }
      if (value.type() != ValueType.ARRAY) {
        int all = inRange(key, file.integer(key).orElseThrow(), 0, most);
        return Collections.nCopies(layers, all);
      }
      GgufFile.check(key, value, value.elementType().isInteger(), "an integer or integers");
      if (value.count() != layers) {
        throw new GgufException(
            "metadata key %s: %d elements (expected: one for each of %d layers)"
                .formatted(key, value.count(), layers));
      }
      List<Integer> values = new ArrayList<>(layers);
      for (int layer = 0; layer < layers; layer++) {
        values.add(inRange(key, value.integerAt(layer), 0, most));
      }
      return values;
    }

    private List<Integer> heads(int layers, int width) throws GgufException {
      List<Integer> heads = perLayer("attention.head_count", layers, MAX_HEADS);
      if (heads.isEmpty() || (known && heads.contains(0))) {
        if (known) {
          throw heads.isEmpty()
              ? missing(key("attention.head_count"))
              : new GgufException(
                  "metadata key %s: 0 (expected: 1 or more)"
                      .formatted(key("attention.head_count")));
        }
        return Collections.nCopies(layers, 0);
      }
      // Rotary positions turn pairs: ggml ends the process on an odd number.
      OptionalLong keyWidth = file.integer(key("attention.key_length"));
      OptionalLong turned = file.integer(key("rope.dimension_count"));
      long most = keyWidth.orElse(heads.getFirst() == 0 ? 0 : width / heads.getFirst());
      even("attention.key_length", most);
      even("rope.dimension_count", turned.orElse(0));
      return heads;
    }

    private void even(String suffix, long value) throws GgufException {
      if (value < 0 || value > MAX_WIDTH || value % 2 != 0) {
        throw new GgufException(
            "metadata key %s: %d (expected: an even number up to %d)"
                .formatted(key(suffix), value, MAX_WIDTH));
      }
    }

    private List<Integer> keyValueHeads(List<Integer> heads) throws GgufException {
      List<Integer> shared = perLayer("attention.head_count_kv", heads.size(), MAX_HEADS);
      for (int layer = 0; layer < shared.size(); layer++) {
        if (shared.get(layer) > 0 && heads.get(layer) % shared.get(layer) != 0) {
          throw new GgufException(
              "metadata key %s: %d in layer %d (expected: a divisor of its %d heads)"
                  .formatted(
                      key("attention.head_count_kv"), shared.get(layer), layer, heads.get(layer)));
        }
      }
      return shared.isEmpty() ? heads : shared;
    }

    /** llama.cpp asserts all of this. */
    private void checkExperts() throws GgufException {
      int experts =
          inRange(key("expert_count"), file.integer(key("expert_count")).orElse(0), 0, 512);
      String used = key("expert_used_count");
      inRange(used, file.integer(used).orElse(0), Math.min(experts, 1), experts);
    }

    private int checkedTokens() throws GgufException {
      GgufValue tokens = file.metadata().get(TOKENS);
      if (tokens == null) {
        throw missing(TOKENS);
      }
      GgufFile.check(TOKENS, tokens, tokens.isArrayOf(ValueType.TEXT), "an array of texts");
      int count = inRange(TOKENS, tokens.count(), 1, MAX_VOCABULARY);
      checkDistinct(tokens);
      // Read by the token's number, without a look at their lengths and types.
      checkArray("tokenizer.ggml.scores", count, ValueType.FLOAT32, ValueType.FLOAT32);
      checkArray("tokenizer.ggml.token_type", count, ValueType.INT32, ValueType.UINT32);
      checkArray("tokenizer.ggml.merges", 0, ValueType.TEXT, ValueType.TEXT);
      checkArray("tokenizer.ggml.precompiled_charsmap", 0, ValueType.UINT8, ValueType.INT8);
      return count;
    }

    /**
     * llama.cpp ends the process where two tokens have one text. Hashes of 64 bits stand for the
     * texts: a vocabulary takes 100 times as much.
     */
    private static void checkDistinct(GgufValue tokens) throws GgufException {
      long[] hashes = new long[tokens.count()];
      tokens.forEachText(
          (text, index) -> {
            // Empty texts are given names of their own.
            long hash = text.isEmpty() ? index : 0xcbf29ce484222325L;
            for (int i = 0; i < text.length(); i++) {
              hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
            }
            hashes[index] = hash;
          });
      Arrays.sort(hashes);
      for (int i = 1; i < hashes.length; i++) {
        if (hashes[i] == hashes[i - 1]) {
          throw new GgufException(
              "metadata key %s: two tokens have the same text (expected: all different)"
                  .formatted(TOKENS));
        }
      }
    }

    private void checkArray(String key, int least, ValueType element, ValueType other)
        throws GgufException {
      GgufValue value = file.metadata().get(key);
      if (value == null) {
        return;
      }
      GgufFile.check(
          key,
          value,
          value.isArrayOf(element) || value.isArrayOf(other),
          "an array of %s".formatted(element));
      if (value.count() < least) {
        throw new GgufException(
            "metadata key %s: %d elements (expected: one for each of %d tokens)"
                .formatted(key, value.count(), least));
      }
    }

    private void checkEmbedding(int width, int vocabulary) throws GgufException {
      TensorInfo embedding = file.tensors().get(EMBEDDING);
      if (embedding == null) {
        throw new GgufException(
            "tensor %s is missing: the file holds no model that llama.cpp can run"
                .formatted(EMBEDDING));
      }
      if (!embedding.dimensions().equals(List.of((long) width, (long) vocabulary))) {
        throw new GgufException(
            "tensor %s: dimensions %s (expected: embedding length %d, vocabulary %d)"
                .formatted(EMBEDDING, embedding.dimensions(), width, vocabulary));
      }
    }

    /** Without the key, llama.cpp goes by the kind of tokenizer (llama_vocab::impl::load). */
    private boolean addsBeginToken(String tokenizer) throws GgufException {
      Optional<Boolean> stated = file.bool("tokenizer.ggml.add_bos_token");
      if (stated.isPresent()) {
        return stated.get();
      }
      return switch (tokenizer) {
        case "llama", "bert" -> true;
        case "gpt2" ->
            file.text("tokenizer.ggml.pre").filter(BEGINNING_PRE_TOKENIZERS::contains).isPresent();
        default -> false;
      };
    }

    private Optional<Pooling> pooling() throws GgufException {
      String key = key("pooling_type");
      // -1 stands for what is not stated.
      long number = file.integer(key).orElse(-1);
      return number == -1
          ? Optional.empty()
          : Optional.of(POOLINGS.get(inRange(key, number, 0, POOLINGS.size() - 1)));
    }

    /** What the file calls itself, or else the type that most of its bytes have. */
    private String quantization() throws GgufException {
      String stated = FILE_TYPES.get((int) file.integer("general.file_type").orElse(-1));
      if (stated != null) {
        return stated;
      }
      Map<TensorType, Long> bytes = new EnumMap<>(TensorType.class);
      file.tensors().values().forEach(t -> bytes.merge(t.type(), t.bytes(), Long::sum));
      return Collections.max(bytes.entrySet(), Map.Entry.comparingByValue()).getKey().name();
    }
  }
}
