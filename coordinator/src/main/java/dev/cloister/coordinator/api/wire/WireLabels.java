package dev.cloister.coordinator.api.wire;

import dev.cloister.coordinator.labels.Labels;

/** Labels, between the wire and the domain. */
public final class WireLabels {
  private WireLabels() {}

  public static dev.cloister.proto.fleet.v1.Labels toWire(Labels labels) {
    return dev.cloister.proto.fleet.v1.Labels.newBuilder().putAllValues(labels.values()).build();
  }

  /**
   * @throws IllegalArgumentException if one is malformed or there are too many
   */
  public static Labels fromWire(dev.cloister.proto.fleet.v1.Labels wire) {
    return Labels.of(wire.getValuesMap());
  }
}
