package dev.cloister.agent.link;

/** Is told how the link is doing, for people. */
public interface LinkListener {
  /**
   * @param nodeName how the coordinator calls this machine
   */
  void connected(String nodeName);

  /**
   * The session broke or could not be opened; it is tried again.
   *
   * @param reason one sentence
   */
  void disconnected(String reason);

  /**
   * The coordinator does not want this node; the link has ended.
   *
   * @param reason one sentence
   */
  void refused(String reason);
}
