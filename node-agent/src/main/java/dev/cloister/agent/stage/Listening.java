package dev.cloister.agent.stage;

import java.net.InetSocketAddress;

/** Where an agent is to listen for others. */
public sealed interface Listening {
  /** On the local address that leads to the coordinator, and any free port. */
  record Automatic() implements Listening {}

  /**
   * Where its owner said.
   *
   * @param address port 0 means any free one
   */
  record At(InetSocketAddress address) implements Listening {}

  /** Nowhere: what others send comes through the coordinator. */
  record Nowhere() implements Listening {}
}
