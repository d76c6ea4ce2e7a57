package dev.cloister.client;

import dev.cloister.proto.catalog.v1.Residence;
import dev.cloister.proto.catalog.v1.Retention;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** How long models stay loaded, and why they are where they are, on the wire. */
final class WireRetention {
  private WireRetention() {}

  static ModelInfo.Retention fromWire(Retention wire) {
    return switch (wire.getRetentionCase()) {
      case PINNED -> new ModelInfo.Retention(wire.getPinned(), Optional.empty());
      case KEEP_ALIVE_MILLIS ->
          ModelInfo.Retention.keepAlive(Duration.ofMillis(wire.getKeepAliveMillis()));
      case RETENTION_NOT_SET -> ModelInfo.Retention.WHILE_THERE_IS_ROOM;
    };
  }

  static Retention toWire(ModelInfo.Retention retention) {
    Retention.Builder wire = Retention.newBuilder();
    if (retention.pinned()) {
      wire.setPinned(true);
    }
    retention.keepAlive().ifPresent(time -> wire.setKeepAliveMillis(time.toMillis()));
    return wire.build();
  }

  static ModelInfo.Residence fromWire(Residence wire) {
    return new ModelInfo.Residence(
        switch (wire.getWhy()) {
          case WHY_PINNED -> ModelInfo.Residence.Why.PINNED;
          case WHY_ASKED_FOR -> ModelInfo.Residence.Why.ASKED_FOR;
          case WHY_COPY -> ModelInfo.Residence.Why.COPY;
          case WHY_CONFIGURED, WHY_UNSPECIFIED, UNRECOGNIZED -> ModelInfo.Residence.Why.CONFIGURED;
        },
        wire.getActive(),
        time(wire.getLastUsedMillis()),
        time(wire.getUntilMillis()),
        wire.getLeaving());
  }

  private static Optional<Instant> time(long millis) {
    return millis == 0 ? Optional.empty() : Optional.of(Instant.ofEpochMilli(millis));
  }
}
