package dev.cloister.coordinator.api.wire;

import dev.cloister.coordinator.courtesy.CourtesyPolicy;
import dev.cloister.proto.agent.v1.CourtesyPolicy.WhileUserPresent;
import java.time.LocalTime;

/** What machines are to keep to, on the wire. */
public final class WirePolicy {
  private static final int MINUTES = 60;

  private WirePolicy() {}

  public static dev.cloister.proto.agent.v1.CourtesyPolicy toWire(CourtesyPolicy policy) {
    var wire =
        dev.cloister.proto.agent.v1.CourtesyPolicy.newBuilder()
            .setNotOnBattery(policy.notOnBattery())
            .setWhileUserPresent(
                switch (policy.whileUserPresent()) {
                  case WORK -> WhileUserPresent.WHILE_USER_PRESENT_WORK;
                  case GENTLY -> WhileUserPresent.WHILE_USER_PRESENT_GENTLY;
                  case PAUSE -> WhileUserPresent.WHILE_USER_PRESENT_PAUSE;
                });
    policy.foreignCpu().ifPresent(wire::setForeignCpu);
    policy.foreignGpu().ifPresent(wire::setForeignGpu);
    policy
        .hours()
        .ifPresent(
            hours ->
                wire.getHoursBuilder()
                    .setFromMinute(minute(hours.from()))
                    .setToMinute(minute(hours.to())));
    return wire.build();
  }

  private static int minute(LocalTime time) {
    return time.getHour() * MINUTES + time.getMinute();
  }
}
