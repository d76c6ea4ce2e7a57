package dev.cloister.coordinator.api.wire;

import dev.cloister.coordinator.catalog.Retention;
import dev.cloister.coordinator.deployment.Residence;
import dev.cloister.coordinator.residence.Why;
import java.time.Duration;
import java.time.Instant;

/**
 * How long models stay loaded, and why they are where they are, between the wire and the domain.
 */
public final class WireRetention {
  private WireRetention() {}

  public static dev.cloister.proto.catalog.v1.Retention toWire(Retention retention) {
    var wire = dev.cloister.proto.catalog.v1.Retention.newBuilder();
    if (retention.pinned()) {
      wire.setPinned(true);
    }
    retention.keepAlive().ifPresent(time -> wire.setKeepAliveMillis(time.toMillis()));
    return wire.build();
  }

  /**
   * @throws IllegalArgumentException if a value is out of range
   */
  public static Retention fromWire(dev.cloister.proto.catalog.v1.Retention wire) {
    return switch (wire.getRetentionCase()) {
      case PINNED -> wire.getPinned() ? Retention.PINNED : Retention.WHILE_THERE_IS_ROOM;
      case KEEP_ALIVE_MILLIS -> Retention.keepAlive(Duration.ofMillis(wire.getKeepAliveMillis()));
      case RETENTION_NOT_SET -> Retention.WHILE_THERE_IS_ROOM;
    };
  }

  public static dev.cloister.proto.catalog.v1.Residence toWire(Residence residence) {
    return dev.cloister.proto.catalog.v1.Residence.newBuilder()
        .setWhy(toWire(residence.why()))
        .setActive(residence.active())
        .setLastUsedMillis(residence.lastUsed().map(Instant::toEpochMilli).orElse(0L))
        .setUntilMillis(residence.until().map(Instant::toEpochMilli).orElse(0L))
        .setLeaving(residence.leaving())
        .build();
  }

  private static dev.cloister.proto.catalog.v1.Residence.Why toWire(Why why) {
    return switch (why) {
      case CONFIGURED -> dev.cloister.proto.catalog.v1.Residence.Why.WHY_CONFIGURED;
      case PINNED -> dev.cloister.proto.catalog.v1.Residence.Why.WHY_PINNED;
      case ASKED_FOR -> dev.cloister.proto.catalog.v1.Residence.Why.WHY_ASKED_FOR;
      case COPY -> dev.cloister.proto.catalog.v1.Residence.Why.WHY_COPY;
    };
  }
}
