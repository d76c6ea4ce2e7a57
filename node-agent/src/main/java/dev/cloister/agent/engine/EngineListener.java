package dev.cloister.agent.engine;

/** Is told how an engine's model is doing, in order, on a thread of the connection. */
public interface EngineListener {
  /**
   * @param progress 0 to 1
   */
  void loading(double progress);

  /**
   * The engine answers.
   *
   * @param contextTokens tokens one request may use
   * @param slots requests answered at the same time
   * @param engine the native library, for example {@code llama.cpp b4916}
   */
  void ready(int contextTokens, int slots, String engine);

  /**
   * The model cannot be loaded.
   *
   * @param message one sentence
   */
  void failed(String message);

  /** The connection broke: the process is dying or dead. Nothing follows. */
  void lost();
}
