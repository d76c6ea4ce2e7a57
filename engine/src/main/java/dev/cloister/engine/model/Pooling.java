package dev.cloister.engine.model;

/** How one vector is made of a text's many. */
public enum Pooling {
  /** None is made. */
  NONE,
  /** The mean of all tokens' vectors. */
  MEAN,
  /** The vector of the first token. */
  CLS,
  /** The vector of the last token. */
  LAST,
  /** The score of a ranking head. */
  RANK
}
