package dev.cloister.agent.link;

import dev.cloister.agent.courtesy.Policy;

/** Is told how the link is doing, for people. */
public interface LinkListener {
  /**
   * @param nodeName how the coordinator calls this machine
   */
  void connected(String nodeName);

  /** The coordinator says what this machine is to keep to; after {@link #connected}, and again. */
  void policy(Policy cluster);

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
