package dev.cloister.coordinator.relay;

/** Counts {@link Traffic}. Thread-safe. */
final class Counter {
  private Traffic traffic = Traffic.NONE;

  synchronized void addStream() {
    traffic = new Traffic(traffic.streams() + 1, traffic.bytes());
  }

  synchronized void add(long bytes) {
    traffic = new Traffic(traffic.streams(), traffic.bytes() + bytes);
  }

  synchronized Traffic traffic() {
    return traffic;
  }
}
