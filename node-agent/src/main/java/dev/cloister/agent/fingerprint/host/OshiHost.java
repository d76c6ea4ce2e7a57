package dev.cloister.agent.fingerprint.host;

import java.io.IOException;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import oshi.SystemInfo;
import oshi.hardware.CentralProcessor;
import oshi.hardware.CentralProcessor.TickType;
import oshi.hardware.GlobalMemory;
import oshi.hardware.HardwareAbstractionLayer;
import oshi.hardware.NetworkIF;
import oshi.hardware.PowerSource;

/** macOS and Windows, through OSHI, whose parts are loaded when first asked for. */
public final class OshiHost implements Host {

  /** Windows' ifType for IEEE 802.11 (RFC 2863, ianaiftype). */
  private static final int IF_TYPE_IEEE80211 = 71;

  private final HardwareAbstractionLayer hardware = new SystemInfo().getHardware();

  @Override
  public String hostName() throws IOException {
    String windows = System.getenv("COMPUTERNAME");
    return windows != null ? windows : InetAddress.getLocalHost().getHostName();
  }

  /** From the JVM: OSHI's own answer costs a process on some systems. */
  @Override
  public String operatingSystem() {
    return System.getProperty("os.name", "") + " " + System.getProperty("os.version", "");
  }

  @Override
  public Processor processor() {
    CentralProcessor processor = hardware.getProcessor();
    return new Processor(
        processor.getProcessorIdentifier().getName().strip(),
        processor.getPhysicalProcessorCount(),
        processor.getFeatureFlags());
  }

  @Override
  public Memory memory() {
    GlobalMemory memory = hardware.getMemory();
    long total = Math.max(0, memory.getTotal());
    return new Memory(total, Math.clamp(memory.getAvailable(), 0, total));
  }

  @Override
  public Optional<Battery> battery() {
    // Windows without a battery answers with one whose capacity is 1.
    List<PowerSource> batteries =
        hardware.getPowerSources().stream().filter(source -> source.getMaxCapacity() > 1).toList();
    if (batteries.isEmpty()) {
      return Optional.empty();
    }
    double charge =
        batteries.stream()
            .mapToDouble(PowerSource::getRemainingCapacityPercent)
            .average()
            .orElseThrow();
    boolean onBattery =
        batteries.stream().anyMatch(PowerSource::isDischarging)
            && batteries.stream().noneMatch(PowerSource::isPowerOnLine);
    return Optional.of(new Battery(Math.clamp(charge, 0, 1), onBattery));
  }

  @Override
  public List<Interface> interfaces() {
    return hardware.getNetworkIFs().stream().map(OshiHost::link).toList();
  }

  private static Interface link(NetworkIF network) {
    String display = network.getDisplayName().toLowerCase(Locale.ROOT);
    boolean wireless =
        network.getIfType() == IF_TYPE_IEEE80211
            || display.contains("wi-fi")
            || display.contains("wireless");
    boolean up = network.getIfOperStatus() == NetworkIF.IfOperStatus.UP;
    return new Interface(network.getName(), up, network.getSpeed(), wireless);
  }

  @Override
  public int ticksPerSecond() {
    return 1_000;
  }

  @Override
  public CpuTime cpuTime() {
    long[] ticks = hardware.getProcessor().getSystemCpuLoadTicks();
    long total = Arrays.stream(ticks).sum();
    long idle = ticks[TickType.IDLE.getIndex()] + ticks[TickType.IOWAIT.getIndex()];
    return new CpuTime(total - idle, total);
  }
}
