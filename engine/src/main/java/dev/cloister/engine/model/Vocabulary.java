package dev.cloister.engine.model;

/** A model's tokens. Thread-safe. */
public interface Vocabulary {

  /** How many tokens there are, numbered from 0. */
  int size();

  /**
   * The tokens of a text.
   *
   * @param addSpecial adds what the model wants at the beginning and the end
   * @param parseSpecial reads markup such as {@code <|im_end|>} as the token it names
   */
  int[] tokenize(String text, boolean addSpecial, boolean parseSpecial);

  /** The tokens of a query and a document, joined as ranking models are trained to read them. */
  int[] tokenizePair(String query, String document);

  /**
   * The bytes a token stands for, perhaps a part of a character. Not to be changed.
   *
   * @param special whether control tokens give their markup; otherwise they give nothing
   */
  byte[] piece(int token, boolean special);

  /** Whether the token ends an answer. */
  boolean endsGeneration(int token);

  /** Whether the token is markup rather than text. */
  boolean isControl(int token);

  /** The markup of the token that begins a text; empty if the model has none. */
  String beginText();

  /** The markup of the token that ends a text; empty if the model has none. */
  String endText();
}
