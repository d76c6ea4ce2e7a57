package dev.cloister.coordinator.fleet;

/** How the coordinator sees a node. */
public enum NodeState {
  /** Its session is open and it reports. */
  ONLINE,
  /** It said goodbye, or was not seen since the coordinator started. */
  OFFLINE,
  /** Its session broke or it fell silent. */
  LOST
}
