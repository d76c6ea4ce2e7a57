package dev.cloister.coordinator.api.wire;

import dev.cloister.coordinator.courtesy.Ceilings;
import dev.cloister.coordinator.courtesy.CourtesyPolicy;
import dev.cloister.coordinator.courtesy.CourtesyPolicy.Hours;
import dev.cloister.proto.agent.v1.CourtesyPolicy.WhileUserPresent;
import java.time.LocalTime;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** What is said of when machines work, on the wire. */
public final class WirePolicy {
  private static final int MINUTES = 60;
  private static final int MINUTES_A_DAY = 24 * MINUTES;

  private WirePolicy() {}

  public static dev.cloister.proto.agent.v1.CourtesyPolicy toWire(CourtesyPolicy policy) {
    var wire = dev.cloister.proto.agent.v1.CourtesyPolicy.newBuilder();
    policy.notOnBattery().ifPresent(wire::setNotOnBattery);
    policy.foreignCpu().ifPresent(wire::setForeignCpu);
    policy.foreignGpu().ifPresent(wire::setForeignGpu);
    policy
        .whileUserPresent()
        .ifPresent(
            present ->
                wire.setWhileUserPresent(
                    switch (present) {
                      case WORK -> WhileUserPresent.WHILE_USER_PRESENT_WORK;
                      case GENTLY -> WhileUserPresent.WHILE_USER_PRESENT_GENTLY;
                      case PAUSE -> WhileUserPresent.WHILE_USER_PRESENT_PAUSE;
                    }));
    policy
        .hours()
        .ifPresent(
            hours ->
                wire.getHoursBuilder()
                    .setFromMinute(minute(hours.from()))
                    .setToMinute(minute(hours.to())));
    policy.ceilings().memoryBytes().ifPresent(wire::setMemoryBytes);
    policy.ceilings().diskBytes().ifPresent(wire::setDiskBytes);
    return wire.build();
  }

  /**
   * @throws IllegalArgumentException if a share or an hour is out of range; the message is one
   *     sentence
   */
  public static CourtesyPolicy fromWire(dev.cloister.proto.agent.v1.CourtesyPolicy wire) {
    return new CourtesyPolicy(
        wire.hasNotOnBattery() ? Optional.of(wire.getNotOnBattery()) : Optional.empty(),
        wire.hasForeignCpu() ? OptionalDouble.of(wire.getForeignCpu()) : OptionalDouble.empty(),
        wire.hasForeignGpu() ? OptionalDouble.of(wire.getForeignGpu()) : OptionalDouble.empty(),
        switch (wire.getWhileUserPresent()) {
          case WHILE_USER_PRESENT_WORK -> Optional.of(CourtesyPolicy.WhileUserPresent.WORK);
          case WHILE_USER_PRESENT_GENTLY -> Optional.of(CourtesyPolicy.WhileUserPresent.GENTLY);
          case WHILE_USER_PRESENT_PAUSE -> Optional.of(CourtesyPolicy.WhileUserPresent.PAUSE);
          case WHILE_USER_PRESENT_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
        },
        wire.hasHours()
            ? Optional.of(
                new Hours(
                    time(wire.getHours().getFromMinute()), time(wire.getHours().getToMinute())))
            : Optional.empty(),
        new Ceilings(
            wire.hasMemoryBytes() ? OptionalLong.of(wire.getMemoryBytes()) : OptionalLong.empty(),
            wire.hasDiskBytes() ? OptionalLong.of(wire.getDiskBytes()) : OptionalLong.empty()));
  }

  private static int minute(LocalTime time) {
    return time.getHour() * MINUTES + time.getMinute();
  }

  private static LocalTime time(int minute) {
    if (minute < 0 || minute >= MINUTES_A_DAY) {
      throw new IllegalArgumentException(
          "minute of the day: " + minute + " (expected: 0 to " + (MINUTES_A_DAY - 1) + ")");
    }
    return LocalTime.MIN.plusMinutes(minute);
  }
}
