package dev.cloister.agent.fingerprint;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a machine has, as its agent found it. Immutable.
 *
 * @param hostName empty if unknown
 * @param operatingSystem for example {@code Debian GNU/Linux 12 (bookworm)}
 * @param architecture as Java names it: {@code amd64}, {@code aarch64}
 * @param disk the volume that holds the agent's data
 * @param battery empty on a machine without one
 * @param links interfaces that are up and are no bridge, tunnel or container end
 * @param gpus those a model can run on, NVIDIA first, then AMD, then Apple
 */
public record Capability(
    String hostName,
    String operatingSystem,
    String architecture,
    Cpu cpu,
    Memory memory,
    Disk disk,
    Optional<Battery> battery,
    List<NetworkLink> links,
    List<Gpu> gpus) {

  public Capability {
    Objects.requireNonNull(hostName, "hostName");
    Objects.requireNonNull(operatingSystem, "operatingSystem");
    Objects.requireNonNull(architecture, "architecture");
    Objects.requireNonNull(cpu, "cpu");
    Objects.requireNonNull(memory, "memory");
    Objects.requireNonNull(disk, "disk");
    Objects.requireNonNull(battery, "battery");
    links = List.copyOf(links);
    gpus = List.copyOf(gpus);
  }

  /** The same with no more main memory to give away than this. */
  public Capability within(long memoryBytes) {
    return new Capability(
        hostName,
        operatingSystem,
        architecture,
        cpu,
        new Memory(memory.totalBytes(), Math.min(memoryBytes, memory.availableBytes())),
        disk,
        battery,
        links,
        gpus);
  }
}
