package dev.cloister.engine.model;

/** A copy of what a sequence held, in main memory until it is closed. */
public interface KeptState extends AutoCloseable {

  /** How much memory it takes. */
  long bytes();

  /** Frees the memory; the state cannot be restored any more. */
  @Override
  void close();
}
