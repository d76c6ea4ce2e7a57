package dev.cloister.agent.fingerprint;

import dev.cloister.agent.fingerprint.gpu.Gpu;
import dev.cloister.agent.fingerprint.host.Battery;
import dev.cloister.agent.fingerprint.host.Memory;
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
 * @param engines what runs models here
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
    List<Gpu> gpus,
    Engines engines) {

  public Capability {
    Objects.requireNonNull(hostName, "hostName");
    Objects.requireNonNull(operatingSystem, "operatingSystem");
    Objects.requireNonNull(architecture, "architecture");
    Objects.requireNonNull(cpu, "cpu");
    Objects.requireNonNull(memory, "memory");
    Objects.requireNonNull(disk, "disk");
    Objects.requireNonNull(battery, "battery");
    Objects.requireNonNull(engines, "engines");
    links = List.copyOf(links);
    gpus = List.copyOf(gpus);
  }

  /** The same with other memory. */
  public Capability withMemory(Memory other) {
    return new Capability(
        hostName, operatingSystem, architecture, cpu, other, disk, battery, links, gpus, engines);
  }

  /** The same with other engines. */
  public Capability withEngines(Engines other) {
    return new Capability(
        hostName, operatingSystem, architecture, cpu, memory, disk, battery, links, gpus, other);
  }
}
