package dev.cloister.engine.llamacpp;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.cloister.engine.llamacpp.capi.LlamaFunctions;
import dev.cloister.engine.model.Vocabulary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.Stream;

/** The tokens of a loaded model. Each is looked at once, and kept. */
final class NativeVocabulary implements Vocabulary {

  // Of enum llama_token_attr.
  private static final int UNKNOWN = 1;
  private static final int CONTROL = 1 << 3;
  private static final int SHORT_PIECE = 64;
  private static final byte[] NOTHING = {};

  private final LlamaFunctions llama;
  private final NativeModel model;
  private final long vocabulary;
  private final AtomicReferenceArray<Token> tokens;
  private final String beginText;
  private final String endText;

  NativeVocabulary(LlamaFunctions llama, long vocabulary, NativeModel model) {
    this.llama = llama;
    this.model = model;
    this.vocabulary = vocabulary;
    this.tokens = new AtomicReferenceArray<>(llama.vocabTokens.toInt(vocabulary));
    this.beginText = markup(llama.vocabBegin.toInt(vocabulary));
    this.endText = markup(llama.vocabEnd.toInt(vocabulary));
  }

  /** What samplers want of it. */
  long address() {
    return vocabulary;
  }

  @Override
  public int size() {
    return tokens.length();
  }

  @Override
  public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
    return model.whileOpen(() -> divide(text, addSpecial, parseSpecial));
  }

  private int[] divide(String text, boolean addSpecial, boolean parseSpecial) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment in = arena.allocate(bytes.length + 1L);
      MemorySegment.copy(bytes, 0, in, JAVA_BYTE, 0, bytes.length);
      // A byte is a token at most, save for a space and the markup that are added.
      int room = bytes.length + 8;
      while (true) {
        MemorySegment out = arena.allocate(JAVA_INT, room);
        int count =
            llama.tokenize.toInt(
                vocabulary,
                in.address(),
                bytes.length,
                out.address(),
                room,
                addSpecial,
                parseSpecial);
        if (count >= 0) {
          return out.asSlice(0, (long) count * Integer.BYTES).toArray(JAVA_INT);
        }
        if (count == Integer.MIN_VALUE || -count <= room) {
          throw new IllegalArgumentException("text: it cannot be divided into tokens");
        }
        room = -count;
      }
    }
  }

  /**
   * {@inheritDoc} In the order of llama.cpp's server: begin, query, end, separator, document, end.
   * Where there is no end (BERT), the separator stands for it: {@code [CLS] query [SEP] document
   * [SEP]}.
   */
  @Override
  public int[] tokenizePair(String query, String document) {
    return model.whileOpen(() -> pair(query, document));
  }

  private int[] pair(String query, String document) {
    int separator = llama.vocabSeparator.toInt(vocabulary);
    int vocabularyEnd = llama.vocabEnd.toInt(vocabulary);
    int end = vocabularyEnd < 0 ? separator : vocabularyEnd;
    return Stream.of(
            new int[] {llama.vocabBegin.toInt(vocabulary)},
            tokenize(query, false, false),
            vocabularyEnd < 0 ? new int[] {end} : new int[] {end, separator},
            tokenize(document, false, false),
            new int[] {end})
        .flatMapToInt(Arrays::stream)
        // What a vocabulary does not have is negative.
        .filter(token -> token >= 0)
        .toArray();
  }

  @Override
  public byte[] piece(int token, boolean special) {
    Token known = token(token);
    return known.markup() && !special ? NOTHING : known.piece();
  }

  @Override
  public boolean endsGeneration(int token) {
    return token(token).endsGeneration();
  }

  @Override
  public boolean isControl(int token) {
    return token(token).control();
  }

  @Override
  public String beginText() {
    return beginText;
  }

  @Override
  public String endText() {
    return endText;
  }

  private String markup(int token) {
    return token < 0 || token >= size()
        ? ""
        : new String(piece(token, true), StandardCharsets.UTF_8);
  }

  private Token token(int token) {
    Token known = tokens.get(token);
    if (known == null) {
      known = model.whileOpen(() -> read(token));
      tokens.set(token, known);
    }
    return known;
  }

  private Token read(int token) {
    int attributes = llama.vocabAttributes.toInt(vocabulary, token);
    return new Token(
        readPiece(token),
        (attributes & CONTROL) != 0,
        (attributes & (CONTROL | UNKNOWN)) != 0,
        llama.vocabEndsGeneration.test(vocabulary, token));
  }

  private byte[] readPiece(int token) {
    try (Arena arena = Arena.ofConfined()) {
      int room = SHORT_PIECE;
      while (true) {
        MemorySegment out = arena.allocate(room);
        int length = llama.tokenToPiece.toInt(vocabulary, token, out.address(), room, 0, true);
        if (length >= 0) {
          return out.asSlice(0, length).toArray(JAVA_BYTE);
        }
        room = -length;
      }
    }
  }

  @SuppressWarnings("ArrayRecordComponent") // Nobody compares it.
  private record Token(byte[] piece, boolean control, boolean markup, boolean endsGeneration) {}
}
