package dev.cloister.engine.gguf.random;

import dev.cloister.engine.gguf.GgufValue;
import dev.cloister.engine.gguf.GgufWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * A made-up SentencePiece vocabulary: special tokens, a token for every byte, one for every
 * printable ASCII character, and syllables joined into words until it has its size. Every text can
 * be written in it.
 */
final class RandomVocabulary {

  static final int MIN_SIZE = 512;

  /** The first tokens: unknown, begin, end, two of the chat template, and 256 bytes. */
  static final int SPECIAL = 5 + 256;

  private static final String CHAT_TEMPLATE =
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n'"
          + " + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  /** Token types of {@code llama_token_type}. */
  private static final int NORMAL = 1;

  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int BYTE = 6;

  private static final String CONSONANTS = "bcdfghjklmnprstvwxyz";
  private static final String VOWELS = "aeiou";
  private static final int SYLLABLES = CONSONANTS.length() * VOWELS.length();

  private final List<String> texts = new ArrayList<>();
  private final List<Integer> types = new ArrayList<>();

  RandomVocabulary(int size) {
    if (size < MIN_SIZE) {
      throw new IllegalArgumentException(
          "vocabulary: %d (expected: %d or more)".formatted(size, MIN_SIZE));
    }
    add("<unk>", UNKNOWN);
    for (String control : List.of("<s>", "</s>", "<|im_start|>", "<|im_end|>")) {
      add(control, CONTROL);
    }
    for (int value = 0; value < 256; value++) {
      add("<0x%02X>".formatted(value), BYTE);
    }
    add("▁", NORMAL);
    for (char character = '!'; character <= '~'; character++) {
      add(String.valueOf(character), NORMAL);
    }
    for (int word = 0; texts.size() < size; word++) {
      add((word % 2 == 0 ? "▁" : "") + word(word / 2), NORMAL);
    }
  }

  private void add(String text, int type) {
    texts.add(text);
    types.add(type);
  }

  /** Words of one syllable, then of two, and so on: the number written with syllables as digits. */
  private static String word(int number) {
    StringBuilder word = new StringBuilder();
    for (int left = number; left >= 0; left = left / SYLLABLES - 1) {
      int syllable = left % SYLLABLES;
      word.append(CONSONANTS.charAt(syllable / VOWELS.length()));
      word.append(VOWELS.charAt(syllable % VOWELS.length()));
    }
    return word.toString();
  }

  void putInto(GgufWriter writer, boolean chatTemplate) {
    float[] scores = new float[texts.size()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = types.get(i) == NORMAL ? -i : 0;
    }
    writer
        .put("tokenizer.ggml.model", GgufValue.ofText("llama"))
        .put("tokenizer.ggml.tokens", GgufValue.ofTexts(texts))
        .put("tokenizer.ggml.scores", GgufValue.ofFloats(scores))
        .put(
            "tokenizer.ggml.token_type",
            GgufValue.ofInts(types.stream().mapToInt(Integer::intValue).toArray()))
        .put("tokenizer.ggml.unknown_token_id", GgufValue.ofUint32(0))
        .put("tokenizer.ggml.bos_token_id", GgufValue.ofUint32(1))
        .put("tokenizer.ggml.eos_token_id", GgufValue.ofUint32(2))
        .put("tokenizer.ggml.add_bos_token", GgufValue.ofBool(true))
        .put("tokenizer.ggml.add_eos_token", GgufValue.ofBool(false));
    if (chatTemplate) {
      writer.put("tokenizer.chat_template", GgufValue.ofText(CHAT_TEMPLATE));
    }
  }
}
