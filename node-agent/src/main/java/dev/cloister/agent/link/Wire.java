package dev.cloister.agent.link;

import dev.cloister.agent.courtesy.Ceilings;
import dev.cloister.agent.courtesy.Hours;
import dev.cloister.agent.courtesy.Policy;
import dev.cloister.agent.courtesy.Policy.WhileUserPresent;
import dev.cloister.agent.engine.ModelFacts;
import dev.cloister.agent.fingerprint.Capability;
import dev.cloister.agent.fingerprint.Cpu;
import dev.cloister.agent.fingerprint.Load;
import dev.cloister.agent.fingerprint.NetworkLink;
import dev.cloister.agent.fingerprint.gpu.Gpu;
import dev.cloister.agent.stage.LinkMeter;
import dev.cloister.agent.supervisor.EngineOptions;
import dev.cloister.agent.supervisor.ModelSpec;
import dev.cloister.agent.supervisor.StageSpec;
import dev.cloister.identity.ticket.KeyHash;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.Battery;
import dev.cloister.proto.agent.v1.CapabilityReport;
import dev.cloister.proto.agent.v1.CourtesyPolicy;
import dev.cloister.proto.agent.v1.Disk;
import dev.cloister.proto.agent.v1.LinkReport;
import dev.cloister.proto.agent.v1.LoadReport;
import dev.cloister.proto.agent.v1.MeasureLink;
import dev.cloister.proto.agent.v1.Memory;
import dev.cloister.proto.agent.v1.ModelStatus;
import dev.cloister.proto.agent.v1.ReachedLink;
import dev.cloister.proto.agent.v1.ServeModel;
import dev.cloister.proto.agent.v1.StageAssignment;
import java.time.Duration;
import java.time.LocalTime;
import java.time.temporal.ChronoField;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/** What the agent reports and is told, between the domain and the wire. */
final class Wire {
  private Wire() {}

  static CapabilityReport toWire(Capability capability) {
    CapabilityReport.Builder wire =
        CapabilityReport.newBuilder()
            .setHostName(capability.hostName())
            .setOperatingSystem(capability.operatingSystem())
            .setArchitecture(capability.architecture())
            .setCpu(toWire(capability.cpu()))
            .setMemory(
                Memory.newBuilder()
                    .setTotalBytes(capability.memory().totalBytes())
                    .setAvailableBytes(capability.memory().availableBytes()))
            .setDisk(
                Disk.newBuilder()
                    .setTotalBytes(capability.disk().totalBytes())
                    .setFreeBytes(capability.disk().freeBytes()))
            .setFlashAttention(capability.engines().flashAttention())
            .setEngineLibrary(capability.engines().library())
            .setEngineUsesGpu(capability.engines().usesGpu());
    capability
        .battery()
        .ifPresent(
            battery ->
                wire.setBattery(
                    Battery.newBuilder()
                        .setCharge((float) battery.charge())
                        .setOnBattery(battery.onBattery())));
    for (NetworkLink link : capability.links()) {
      wire.addLinksBuilder()
          .setName(link.name())
          .setSpeedBitsPerSecond(link.speedBitsPerSecond())
          .setWireless(link.wireless())
          .setHardwareAddress(link.hardwareAddress())
          .setBroadcastAddress(link.broadcastAddress());
    }
    for (Gpu gpu : capability.gpus()) {
      wire.addGpusBuilder()
          .setVendor(toWire(gpu.vendor()))
          .setModel(gpu.model())
          .setMemoryTotalBytes(gpu.memoryTotalBytes())
          .setMemoryFreeBytes(gpu.memoryFreeBytes())
          .setUnifiedMemory(gpu.unifiedMemory())
          .setDriverVersion(gpu.driverVersion());
    }
    return wire.build();
  }

  /**
   * Which node to dial; empty: the coordinator.
   *
   * @throws IllegalArgumentException if it makes no sense; the message is one sentence
   */
  static Optional<Neighbour> neighbour(MeasureLink wire) {
    return wire.hasNode()
        ? Optional.of(
            new Neighbour(
                wire.getNode().getNodeId(),
                wire.getNode().getKeyHashesList().stream()
                    .map(hash -> KeyHash.of(hash.toByteArray()))
                    .collect(Collectors.toSet()),
                wire.getNode().getAddress()))
        : Optional.empty();
  }

  static LinkReport toWire(String nodeId, LinkMeter.Result result) {
    LinkReport.Builder wire = LinkReport.newBuilder().setNodeId(nodeId);
    return switch (result) {
      case LinkMeter.Result.Reached(double roundTripSeconds, double bytesPerSecond) ->
          wire.setReached(
                  ReachedLink.newBuilder()
                      .setRoundTripSeconds(roundTripSeconds)
                      .setBytesPerSecond(bytesPerSecond))
              .build();
      case LinkMeter.Result.Unreachable(String reason) -> wire.setUnreachable(reason).build();
    };
  }

  private static dev.cloister.proto.agent.v1.Cpu toWire(Cpu cpu) {
    return dev.cloister.proto.agent.v1.Cpu.newBuilder()
        .setModel(cpu.model())
        .setPhysicalCores(cpu.physicalCores())
        .setLogicalCores(cpu.logicalCores())
        .addAllVectorExtensions(cpu.vectorExtensions())
        .build();
  }

  private static dev.cloister.proto.agent.v1.Gpu.Vendor toWire(Gpu.Vendor vendor) {
    return switch (vendor) {
      case NVIDIA -> dev.cloister.proto.agent.v1.Gpu.Vendor.VENDOR_NVIDIA;
      case AMD -> dev.cloister.proto.agent.v1.Gpu.Vendor.VENDOR_AMD;
      case APPLE -> dev.cloister.proto.agent.v1.Gpu.Vendor.VENDOR_APPLE;
    };
  }

  static LoadReport.Builder toWire(Load load) {
    return LoadReport.newBuilder()
        .setCpuUtilization((float) load.cpuUtilization())
        .setMemoryAvailableBytes(load.memoryAvailableBytes());
  }

  static AgentMessage toWire(Availability availability) {
    var wire = dev.cloister.proto.agent.v1.Availability.newBuilder();
    switch (availability) {
      case Availability.Open _ ->
          wire.setState(dev.cloister.proto.agent.v1.Availability.State.STATE_OPEN);
      case Availability.Paused(String reason, Duration grace) ->
          wire.setState(dev.cloister.proto.agent.v1.Availability.State.STATE_PAUSED)
              .setReason(reason)
              .setDeadlineMillis((int) grace.toMillis());
      case Availability.Stopping _ ->
          wire.setState(dev.cloister.proto.agent.v1.Availability.State.STATE_STOPPING);
    }
    return AgentMessage.newBuilder().setAvailability(wire).build();
  }

  static ModelStatus toWire(ModelSpec model, dev.cloister.agent.supervisor.ModelStatus status) {
    ModelStatus.Builder wire =
        ModelStatus.newBuilder().setModel(model.name()).setSha256(model.sha256());
    model
        .stage()
        .ifPresent(
            stage ->
                wire.setPlan(stage.plan())
                    .setFirstLayer(stage.firstLayer())
                    .setEndLayer(stage.endLayer()));
    switch (status) {
      case dev.cloister.agent.supervisor.ModelStatus.Fetching fetching ->
          wire.setState(ModelStatus.State.STATE_FETCHING).setProgress((float) fetching.progress());
      case dev.cloister.agent.supervisor.ModelStatus.Loading loading ->
          wire.setState(ModelStatus.State.STATE_LOADING).setProgress((float) loading.progress());
      case dev.cloister.agent.supervisor.ModelStatus.Staged staged ->
          wire.setState(ModelStatus.State.STATE_STAGED).setResidentBytes(staged.residentBytes());
      case dev.cloister.agent.supervisor.ModelStatus.Ready ready ->
          wire.setState(ModelStatus.State.STATE_READY)
              .setResidentBytes(ready.residentBytes())
              .setContextTokens(ready.facts().contextTokens())
              .setSlots(ready.facts().slots())
              .setEngine(ready.facts().engine())
              .setFull(ready.facts().full())
              .setGenerates(ready.facts().uses().contains(ModelFacts.Use.GENERATE))
              .setEmbeds(ready.facts().uses().contains(ModelFacts.Use.EMBED))
              .setReranks(ready.facts().uses().contains(ModelFacts.Use.RERANK));
      case dev.cloister.agent.supervisor.ModelStatus.Failed failed ->
          wire.setState(ModelStatus.State.STATE_FAILED).setError(failed.error());
    }
    return wire.build();
  }

  static ModelSpec fromWire(ServeModel wire) {
    return new ModelSpec(
        wire.getModel(),
        wire.getSha256(),
        wire.getSizeBytes(),
        wire.getContextTokens(),
        wire.getSlots(),
        fromWire(wire.getOptions()),
        wire.hasStage() ? Optional.of(fromWire(wire.getStage())) : Optional.empty(),
        wire.getMemoryBytes());
  }

  /** What a newer version says and this one does not know is strict. */
  static Policy fromWire(CourtesyPolicy wire) {
    return new Policy(
        wire.getNotOnBattery(),
        share(wire.hasForeignCpu(), wire.getForeignCpu()),
        share(wire.hasForeignGpu(), wire.getForeignGpu()),
        switch (wire.getWhileUserPresent()) {
          case WHILE_USER_PRESENT_UNSPECIFIED, WHILE_USER_PRESENT_WORK -> WhileUserPresent.WORK;
          case WHILE_USER_PRESENT_GENTLY -> WhileUserPresent.GENTLY;
          case WHILE_USER_PRESENT_PAUSE, UNRECOGNIZED -> WhileUserPresent.PAUSE;
        },
        wire.hasHours()
            ? List.of(
                new Hours(
                    time(wire.getHours().getFromMinute()), time(wire.getHours().getToMinute())))
            : List.of(),
        new Ceilings(
            bytes(wire.hasMemoryBytes(), wire.getMemoryBytes()),
            bytes(wire.hasDiskBytes(), wire.getDiskBytes())));
  }

  private static OptionalLong bytes(boolean given, long bytes) {
    return given ? OptionalLong.of(Math.max(0, bytes)) : OptionalLong.empty();
  }

  /** What an owner says; on what leaves the machine free, nothing. */
  static CourtesyPolicy toWire(Policy owner) {
    var wire = CourtesyPolicy.newBuilder();
    if (owner.notOnBattery()) {
      wire.setNotOnBattery(true);
    }
    owner.foreignCpu().ifPresent(wire::setForeignCpu);
    owner.foreignGpu().ifPresent(wire::setForeignGpu);
    switch (owner.whileUserPresent()) {
      case WORK -> {}
      case GENTLY ->
          wire.setWhileUserPresent(CourtesyPolicy.WhileUserPresent.WHILE_USER_PRESENT_GENTLY);
      case PAUSE ->
          wire.setWhileUserPresent(CourtesyPolicy.WhileUserPresent.WHILE_USER_PRESENT_PAUSE);
    }
    for (Hours hours : owner.hours()) {
      wire.getHoursBuilder().setFromMinute(minute(hours.from())).setToMinute(minute(hours.to()));
    }
    owner.ceilings().memoryBytes().ifPresent(wire::setMemoryBytes);
    owner.ceilings().diskBytes().ifPresent(wire::setDiskBytes);
    return wire.build();
  }

  private static int minute(LocalTime time) {
    return time.get(ChronoField.MINUTE_OF_DAY);
  }

  private static OptionalDouble share(boolean given, double share) {
    return given ? OptionalDouble.of(Math.clamp(share, 0, 1)) : OptionalDouble.empty();
  }

  private static LocalTime time(int minuteOfDay) {
    return LocalTime.MIN.plusMinutes(Integer.toUnsignedLong(minuteOfDay));
  }

  private static StageSpec fromWire(StageAssignment wire) {
    return new StageSpec(
        wire.getPlan(),
        wire.getIndex(),
        wire.getCount(),
        wire.getFirstLayer(),
        wire.getEndLayer(),
        wire.getShelfBytes());
  }

  private static EngineOptions fromWire(dev.cloister.proto.agent.v1.EngineOptions wire) {
    return new EngineOptions(
        number(wire.hasThreads(), wire.getThreads()),
        number(wire.hasBatchThreads(), wire.getBatchThreads()),
        number(wire.hasBatchTokens(), wire.getBatchTokens()),
        number(wire.hasGpuLayers(), wire.getGpuLayers()),
        number(wire.hasMainGpu(), wire.getMainGpu()),
        switch (wire.getKvType()) {
          case KV_TYPE_F16 -> Optional.of(EngineOptions.KvType.F16);
          case KV_TYPE_Q8_0 -> Optional.of(EngineOptions.KvType.Q8_0);
          case KV_TYPE_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
        },
        wire.hasKvOnHost()
            ? Optional.of(
                wire.getKvOnHost() ? EngineOptions.KvPlace.HOST : EngineOptions.KvPlace.GPU)
            : Optional.empty(),
        switch (wire.getFlashAttention()) {
          case FLASH_ATTENTION_AUTO -> Optional.of(EngineOptions.FlashAttention.AUTO);
          case FLASH_ATTENTION_ON -> Optional.of(EngineOptions.FlashAttention.ON);
          case FLASH_ATTENTION_OFF -> Optional.of(EngineOptions.FlashAttention.OFF);
          case FLASH_ATTENTION_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
        });
  }

  private static OptionalInt number(boolean given, int value) {
    return given ? OptionalInt.of(value) : OptionalInt.empty();
  }
}
