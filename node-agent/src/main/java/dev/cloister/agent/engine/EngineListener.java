package dev.cloister.agent.engine;

/** Is told how an engine's model is doing, in order, on a thread of the connection. */
public interface EngineListener {
  /**
   * @param progress 0 to 1
   */
  void loading(double progress);

  /** A stage is loaded, and its pipeline is not closed, or not any more. */
  void staged();

  /** The engine answers; as the first stage of a split model, until {@link #staged} again. */
  void ready(ModelFacts facts);

  /**
   * The model cannot be loaded.
   *
   * @param message one sentence
   */
  void failed(String message);

  /** The connection broke: the process is dying or dead. Nothing follows. */
  void lost();
}
