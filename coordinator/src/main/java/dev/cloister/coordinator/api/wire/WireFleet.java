package dev.cloister.coordinator.api.wire;

import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.coordinator.fleet.Capability;
import dev.cloister.coordinator.fleet.Drain;
import dev.cloister.coordinator.fleet.Load;
import dev.cloister.coordinator.fleet.NodeState;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.fleet.WakeAddress;
import dev.cloister.proto.agent.v1.Availability;
import dev.cloister.proto.agent.v1.Battery;
import dev.cloister.proto.agent.v1.CapabilityReport;
import dev.cloister.proto.agent.v1.Cpu;
import dev.cloister.proto.agent.v1.Disk;
import dev.cloister.proto.agent.v1.Gpu;
import dev.cloister.proto.agent.v1.LoadReport;
import dev.cloister.proto.agent.v1.Memory;
import dev.cloister.proto.agent.v1.ModelStatus;
import dev.cloister.proto.agent.v1.NetworkLink;
import dev.cloister.proto.fleet.v1.Node;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Nodes and what they report, between the wire and the domain. */
public final class WireFleet {
  private WireFleet() {}

  public static Capability fromWire(CapabilityReport wire) {
    return new Capability(
        wire.getHostName(),
        wire.getOperatingSystem(),
        wire.getArchitecture(),
        new Capability.Cpu(
            wire.getCpu().getModel(),
            wire.getCpu().getPhysicalCores(),
            wire.getCpu().getLogicalCores(),
            wire.getCpu().getVectorExtensionsList()),
        wire.getMemory().getTotalBytes(),
        wire.getMemory().getAvailableBytes(),
        wire.getDisk().getTotalBytes(),
        wire.getDisk().getFreeBytes(),
        wire.hasBattery()
            ? Optional.of(
                new Capability.Battery(
                    wire.getBattery().getCharge(), wire.getBattery().getOnBattery()))
            : Optional.empty(),
        wire.getLinksList().stream()
            .map(
                link ->
                    new Capability.NetworkLink(
                        link.getName(),
                        link.getSpeedBitsPerSecond(),
                        link.getWireless(),
                        WakeAddress.of(link.getHardwareAddress(), link.getBroadcastAddress())))
            .toList(),
        wire.getGpusList().stream().map(WireFleet::fromWire).toList(),
        new Capability.Engines(
            wire.getEngineLibrary(), wire.getFlashAttention(), wire.getEngineUsesGpu()));
  }

  private static Capability.Gpu fromWire(Gpu wire) {
    return new Capability.Gpu(
        switch (wire.getVendor()) {
          case VENDOR_NVIDIA -> Capability.Gpu.Vendor.NVIDIA;
          case VENDOR_AMD -> Capability.Gpu.Vendor.AMD;
          case VENDOR_APPLE -> Capability.Gpu.Vendor.APPLE;
          case VENDOR_UNSPECIFIED, UNRECOGNIZED -> Capability.Gpu.Vendor.UNKNOWN;
        },
        wire.getModel(),
        wire.getMemoryTotalBytes(),
        wire.getMemoryFreeBytes(),
        wire.getUnifiedMemory(),
        wire.getDriverVersion());
  }

  public static Load fromWire(LoadReport wire) {
    return new Load(
        wire.getCpuUtilization(),
        wire.getMemoryAvailableBytes(),
        Double.isFinite(wire.getMemoryBytesPerSecond())
            ? Math.max(0, wire.getMemoryBytesPerSecond())
            : 0);
  }

  /** Empty for a state this version does not know. */
  public static Optional<Replica> fromWire(ModelStatus wire) {
    return switch (wire.getState()) {
      case STATE_FETCHING ->
          Optional.of(new Replica.Fetching(wire.getModel(), wire.getPlan(), wire.getProgress()));
      case STATE_LOADING ->
          Optional.of(new Replica.Loading(wire.getModel(), wire.getPlan(), wire.getProgress()));
      case STATE_STAGED ->
          Optional.of(
              new Replica.Staged(
                  wire.getModel(), wire.getPlan(), layers(wire), wire.getResidentBytes()));
      case STATE_READY ->
          Optional.of(
              new Replica.Ready(
                  wire.getModel(),
                  wire.getPlan(),
                  layers(wire),
                  wire.getContextTokens(),
                  wire.getSlots(),
                  wire.getEngine(),
                  wire.getFull(),
                  uses(wire),
                  wire.getResidentBytes()));
      case STATE_FAILED ->
          Optional.of(new Replica.Failed(wire.getModel(), wire.getPlan(), wire.getError()));
      case STATE_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
    };
  }

  private static Optional<Replica.Layers> layers(ModelStatus wire) {
    int first = wire.getFirstLayer();
    int end = wire.getEndLayer();
    return first >= 0 && end > first
        ? Optional.of(new Replica.Layers(first, end))
        : Optional.empty();
  }

  private static Set<Replica.Ready.Use> uses(ModelStatus wire) {
    Set<Replica.Ready.Use> uses = EnumSet.noneOf(Replica.Ready.Use.class);
    if (wire.getGenerates()) {
      uses.add(Replica.Ready.Use.GENERATE);
    }
    if (wire.getEmbeds()) {
      uses.add(Replica.Ready.Use.EMBED);
    }
    if (wire.getReranks()) {
      uses.add(Replica.Ready.Use.RERANK);
    }
    return uses;
  }

  /**
   * What a node says of itself; empty if it takes new work, or says what this version does not
   * know.
   */
  public static Optional<Drain> fromWire(Availability wire, Instant now) {
    Instant deadline = now.plusMillis(Integer.toUnsignedLong(wire.getDeadlineMillis()));
    return switch (wire.getState()) {
      case STATE_PAUSED -> Optional.of(new Drain(Drain.Cause.OWNER, wire.getReason(), deadline));
      case STATE_STOPPING ->
          Optional.of(new Drain(Drain.Cause.STOPPING, wire.getReason(), deadline));
      case STATE_OPEN, STATE_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
    };
  }

  /**
   * @param stages of models that the node is to hold
   * @param running how many answers are under way there
   */
  public static Node toWire(NodeView view, List<Assignment> stages, int running) {
    Node.Builder wire =
        Node.newBuilder()
            .setId(view.node().id())
            .setName(view.node().name())
            .setState(toWire(view.state()))
            .setLastSeenMillis(view.lastSeen().map(Instant::toEpochMilli).orElse(0L))
            .setAgentVersion(view.agentVersion())
            .setActiveRequests(running)
            .setLabels(WireLabels.toWire(view.labels()));
    view.drain()
        .ifPresent(
            drain ->
                wire.getDrainBuilder()
                    .setCause(toWire(drain.cause()))
                    .setReason(drain.reason())
                    .setDeadlineMillis(drain.deadline().toEpochMilli()));
    view.capability().map(WireFleet::toWire).ifPresent(wire::setCapability);
    view.load()
        .ifPresent(
            load ->
                wire.getLoadBuilder()
                    .setCpuUtilization((float) load.cpuUtilization())
                    .setMemoryAvailableBytes(load.memoryAvailableBytes())
                    .setMemoryBytesPerSecond(load.memoryBytesPerSecond()));
    for (Replica replica : view.replicas()) {
      if (replica instanceof Replica.Ready) {
        wire.addReadyModels(replica.model());
      }
    }
    for (Assignment assignment : stages) {
      String model = assignment.model().name();
      assignment
          .stage()
          .ifPresent(
              stage ->
                  wire.addStagesBuilder()
                      .setModel(model)
                      .setIndex(stage.index())
                      .setCount(stage.count())
                      .setFirstLayer(stage.firstLayer())
                      .setEndLayer(stage.endLayer())
                      .setState(view.replica(model).map(WireFleet::state).orElse("")));
    }
    return wire.build();
  }

  /** How a replica is doing, in a word. */
  public static String state(Replica replica) {
    return switch (replica) {
      case Replica.Fetching _ -> "fetching";
      case Replica.Loading _ -> "loading";
      case Replica.Staged _ -> "staged";
      case Replica.Ready _ -> "ready";
      case Replica.Failed _ -> "failed";
    };
  }

  private static Node.State toWire(NodeState state) {
    return switch (state) {
      case ONLINE -> Node.State.STATE_ONLINE;
      case OFFLINE -> Node.State.STATE_OFFLINE;
      case LOST -> Node.State.STATE_LOST;
    };
  }

  private static dev.cloister.proto.fleet.v1.Drain.Cause toWire(Drain.Cause cause) {
    return switch (cause) {
      case ADMINISTRATOR -> dev.cloister.proto.fleet.v1.Drain.Cause.CAUSE_ADMINISTRATOR;
      case OWNER -> dev.cloister.proto.fleet.v1.Drain.Cause.CAUSE_OWNER;
      case STOPPING -> dev.cloister.proto.fleet.v1.Drain.Cause.CAUSE_STOPPING;
    };
  }

  private static CapabilityReport toWire(Capability capability) {
    CapabilityReport.Builder wire =
        CapabilityReport.newBuilder()
            .setHostName(capability.hostName())
            .setOperatingSystem(capability.operatingSystem())
            .setArchitecture(capability.architecture())
            .setCpu(
                Cpu.newBuilder()
                    .setModel(capability.cpu().model())
                    .setPhysicalCores(capability.cpu().physicalCores())
                    .setLogicalCores(capability.cpu().logicalCores())
                    .addAllVectorExtensions(capability.cpu().vectorExtensions()))
            .setMemory(
                Memory.newBuilder()
                    .setTotalBytes(capability.memoryTotalBytes())
                    .setAvailableBytes(capability.memoryAvailableBytes()))
            .setDisk(
                Disk.newBuilder()
                    .setTotalBytes(capability.diskTotalBytes())
                    .setFreeBytes(capability.diskFreeBytes()));
    capability
        .battery()
        .ifPresent(
            battery ->
                wire.setBattery(
                    Battery.newBuilder()
                        .setCharge((float) battery.charge())
                        .setOnBattery(battery.onBattery())));
    for (Capability.NetworkLink link : capability.links()) {
      wire.addLinks(
          NetworkLink.newBuilder()
              .setName(link.name())
              .setSpeedBitsPerSecond(link.speedBitsPerSecond())
              .setWireless(link.wireless()));
    }
    for (Capability.Gpu gpu : capability.gpus()) {
      wire.addGpus(
          Gpu.newBuilder()
              .setVendor(toWire(gpu.vendor()))
              .setModel(gpu.model())
              .setMemoryTotalBytes(gpu.memoryTotalBytes())
              .setMemoryFreeBytes(gpu.memoryFreeBytes())
              .setUnifiedMemory(gpu.unifiedMemory())
              .setDriverVersion(gpu.driverVersion()));
    }
    return wire.build();
  }

  private static Gpu.Vendor toWire(Capability.Gpu.Vendor vendor) {
    return switch (vendor) {
      case NVIDIA -> Gpu.Vendor.VENDOR_NVIDIA;
      case AMD -> Gpu.Vendor.VENDOR_AMD;
      case APPLE -> Gpu.Vendor.VENDOR_APPLE;
      case UNKNOWN -> Gpu.Vendor.VENDOR_UNSPECIFIED;
    };
  }
}
