package dev.cloister.client;

import dev.cloister.client.admin.Courtesy;
import dev.cloister.client.admin.Courtesy.Ceilings;
import dev.cloister.client.admin.Courtesy.Hours;
import dev.cloister.client.admin.PolicyInfo;
import dev.cloister.proto.agent.v1.CourtesyPolicy;
import dev.cloister.proto.agent.v1.CourtesyPolicy.WhileUserPresent;
import dev.cloister.proto.fleet.v1.ListPoliciesResponse;
import dev.cloister.proto.fleet.v1.NodePolicy;
import java.time.LocalTime;
import java.time.temporal.ChronoField;
import java.util.Optional;

/** When machines work, between this library's types and the wire. */
final class WirePolicy {
  private WirePolicy() {}

  static PolicyInfo fromWire(ListPoliciesResponse wire) {
    return new PolicyInfo(
        fromWire(wire.getInitial()),
        fromWire(wire.getAll()),
        wire.getNodesList().stream().map(WirePolicy::fromWire).toList());
  }

  private static PolicyInfo.Node fromWire(NodePolicy wire) {
    return new PolicyInfo.Node(
        wire.getNodeId(),
        wire.getNode(),
        fromWire(wire.getOwn()),
        wire.hasOwner() ? Optional.of(fromWire(wire.getOwner())) : Optional.empty());
  }

  private static Courtesy fromWire(CourtesyPolicy wire) {
    return new Courtesy(
        wire.hasNotOnBattery() ? Optional.of(wire.getNotOnBattery()) : Optional.empty(),
        wire.hasForeignCpu() ? Optional.of(wire.getForeignCpu()) : Optional.empty(),
        wire.hasForeignGpu() ? Optional.of(wire.getForeignGpu()) : Optional.empty(),
        switch (wire.getWhileUserPresent()) {
          case WHILE_USER_PRESENT_WORK -> Optional.of(Courtesy.WhileUserPresent.WORK);
          case WHILE_USER_PRESENT_GENTLY -> Optional.of(Courtesy.WhileUserPresent.GENTLY);
          case WHILE_USER_PRESENT_PAUSE -> Optional.of(Courtesy.WhileUserPresent.PAUSE);
          case WHILE_USER_PRESENT_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
        },
        wire.hasHours()
            ? Optional.of(
                new Hours(
                    time(wire.getHours().getFromMinute()), time(wire.getHours().getToMinute())))
            : Optional.empty(),
        new Ceilings(
            wire.hasMemoryBytes() ? Optional.of(wire.getMemoryBytes()) : Optional.empty(),
            wire.hasDiskBytes() ? Optional.of(wire.getDiskBytes()) : Optional.empty()));
  }

  private static LocalTime time(int minuteOfDay) {
    return LocalTime.MIN.with(ChronoField.MINUTE_OF_DAY, minuteOfDay);
  }

  static CourtesyPolicy toWire(Courtesy policy) {
    var wire = CourtesyPolicy.newBuilder();
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
                    .setFromMinute(hours.from().get(ChronoField.MINUTE_OF_DAY))
                    .setToMinute(hours.to().get(ChronoField.MINUTE_OF_DAY)));
    policy.ceilings().memoryBytes().ifPresent(wire::setMemoryBytes);
    policy.ceilings().diskBytes().ifPresent(wire::setDiskBytes);
    return wire.build();
  }
}
