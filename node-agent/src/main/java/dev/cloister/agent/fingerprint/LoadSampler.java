package dev.cloister.agent.fingerprint;

import dev.cloister.agent.fingerprint.host.ControlGroup;
import dev.cloister.agent.fingerprint.host.Host;
import dev.cloister.agent.fingerprint.host.Memory;
import dev.cloister.agent.fingerprint.host.Probe;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers again and again how busy this machine is. Cheap enough for every second. Not thread-safe:
 * each sample is measured against the one before, so one thread owns a sampler.
 */
public final class LoadSampler {

  private static final Logger LOG = LoggerFactory.getLogger(LoadSampler.class);

  private final Host host;
  private final Probe<Memory> memory;
  private Host.CpuTime last = new Host.CpuTime(0, 0);
  private Load lastLoad = new Load(0, 0);
  private volatile double memoryBytesPerSecond;

  public LoadSampler() {
    this(Host.ofThisMachine());
  }

  private LoadSampler(Host host) {
    this(host, new MemoryProbe(host, new ControlGroup(Path.of("/"))));
  }

  LoadSampler(Host host, Probe<Memory> memory) {
    this.host = host;
    this.memory = memory;
  }

  /** How fast main memory was copied, in bytes a second; 0 if that was not measured yet. */
  public double memoryBytesPerSecond() {
    return memoryBytesPerSecond;
  }

  /** Takes note of a measurement; of several the fastest counts, which was disturbed least. */
  public synchronized void tellMemorySpeed(double bytesPerSecond) {
    memoryBytesPerSecond = Math.max(memoryBytesPerSecond, bytesPerSecond);
  }

  /**
   * The load since the last call; the first call's is since the machine started. Where the system
   * does not answer, the last sample is repeated and the reason logged; throws nothing.
   */
  public Load sample() {
    try {
      Host.CpuTime now = host.cpuTime();
      long total = now.total() - last.total();
      long busy = now.busy() - last.busy();
      // Clocks tick a hundred times a second: between two quick calls none may have.
      double utilization =
          total <= 0 ? lastLoad.cpuUtilization() : Math.clamp((double) busy / total, 0, 1);
      last = now;
      lastLoad = new Load(utilization, memory.probe().availableBytes());
    } catch (Exception failure) {
      LOG.debug("load sample failed reason={}", failure.toString());
    }
    return lastLoad;
  }
}
