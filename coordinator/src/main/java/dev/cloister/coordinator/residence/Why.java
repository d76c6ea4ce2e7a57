package dev.cloister.coordinator.residence;

/** Why a model is on a node. */
public enum Why {
  /** There was room, and the catalog does not say that it waits until it is asked for. */
  CONFIGURED,
  /** An administrator wants it to be loaded always. */
  PINNED,
  /** A request asked for it while no node had it. */
  ASKED_FOR,
  /** Another node has it, and requests would wait there for longer than loading takes. */
  COPY
}
