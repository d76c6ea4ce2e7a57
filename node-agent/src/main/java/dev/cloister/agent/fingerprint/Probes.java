package dev.cloister.agent.fingerprint;

import dev.cloister.agent.fingerprint.gpu.Gpu;
import dev.cloister.agent.fingerprint.gpu.NvidiaSmiProbe;
import dev.cloister.agent.fingerprint.gpu.RocmSmiProbe;
import dev.cloister.agent.fingerprint.gpu.SystemProfilerProbe;
import dev.cloister.agent.fingerprint.host.Battery;
import dev.cloister.agent.fingerprint.host.CommandRunner;
import dev.cloister.agent.fingerprint.host.ControlGroup;
import dev.cloister.agent.fingerprint.host.Host;
import dev.cloister.agent.fingerprint.host.LinkAddresses;
import dev.cloister.agent.fingerprint.host.Memory;
import dev.cloister.agent.fingerprint.host.Probe;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** One probe for each part of a {@link Capability}. */
record Probes(
    Probe<String> hostName,
    Probe<String> operatingSystem,
    Probe<Cpu> cpu,
    Probe<Memory> memory,
    Probe<Disk> disk,
    Probe<Optional<Battery>> battery,
    Probe<List<NetworkLink>> links,
    List<Probe<List<Gpu>>> gpus) {

  Probes {
    gpus = List.copyOf(gpus);
  }

  static Probes of(Host host, CommandRunner runner, Path dataDirectory) {
    MemoryProbe memory = new MemoryProbe(host, new ControlGroup(Path.of("/")));
    String architecture = System.getProperty("os.arch", "");
    int cores = Runtime.getRuntime().availableProcessors();
    return new Probes(
        host::hostName,
        host::operatingSystem,
        new CpuProbe(host, architecture, cores),
        memory,
        new DiskProbe(dataDirectory),
        new BatteryProbe(host),
        new NetworkProbe(host, LinkAddresses::of),
        List.of(
            new NvidiaSmiProbe(runner, memory),
            new RocmSmiProbe(runner),
            new SystemProfilerProbe(runner, memory)));
  }
}
