package dev.cloister.engine.batching;

import dev.cloister.engine.model.Vocabulary;
import java.nio.charset.StandardCharsets;

/** Tokens are characters, and the first of them ends an answer. */
final class FakeVocabulary implements Vocabulary {
  static final int SIZE = 1000;
  static final int END = 0;

  @Override
  public int size() {
    return SIZE;
  }

  @Override
  public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
    return text.chars().toArray();
  }

  @Override
  public int[] tokenizePair(String query, String document) {
    return tokenize(query + document, true, false);
  }

  @Override
  public byte[] piece(int token, boolean special) {
    return Character.toString(token).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public boolean endsGeneration(int token) {
    return token == END;
  }

  @Override
  public boolean isControl(int token) {
    return token == END;
  }

  @Override
  public String beginText() {
    return "";
  }

  @Override
  public String endText() {
    return "";
  }
}
