package dev.cloister.agent.fingerprint;

import dev.cloister.agent.fingerprint.gpu.Gpu;
import dev.cloister.agent.fingerprint.gpu.GpuTool;
import dev.cloister.agent.fingerprint.host.Battery;
import dev.cloister.agent.fingerprint.host.Host;
import dev.cloister.agent.fingerprint.host.Memory;
import dev.cloister.agent.fingerprint.host.Probe;
import dev.cloister.agent.fingerprint.host.ProcessRunner;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out what this machine has. Thread-safe.
 *
 * <p>All probes run at once, each on a virtual thread; one that fails or takes longer than its
 * limit is logged, and its part of the {@link Capability} stays empty or unknown.
 */
public final class Fingerprint {

  /** A GPU tool's own limit, and a margin for starting it and reading its answer. */
  private static final Duration LIMIT = GpuTool.TIMEOUT.plusSeconds(1);

  private static final Logger LOG = LoggerFactory.getLogger(Fingerprint.class);

  private final Probes probes;
  private final Duration limit;

  /**
   * @param dataDirectory whose volume is reported as the disk; it need not exist yet
   */
  public Fingerprint(Path dataDirectory) {
    this(
        Probes.of(
            Host.ofThisMachine(), ProcessRunner.ofThisMachine(System.getenv()), dataDirectory),
        LIMIT);
  }

  Fingerprint(Probes probes, Duration limit) {
    this.probes = probes;
    this.limit = limit;
  }

  /**
   * Looks at the machine now. Takes some tens of milliseconds where no GPU tool is installed, as
   * long as the slowest tool otherwise, 4 s at most; throws nothing.
   */
  public Capability take() {
    CompletableFuture<String> hostName = start("host-name", probes.hostName(), "");
    CompletableFuture<String> system = start("operating-system", probes.operatingSystem(), "");
    CompletableFuture<Cpu> cpu = start("cpu", probes.cpu(), unknownCpu());
    CompletableFuture<Memory> memory = start("memory", probes.memory(), new Memory(0, 0));
    CompletableFuture<Disk> disk = start("disk", probes.disk(), new Disk(0, 0));
    CompletableFuture<Optional<Battery>> battery =
        start("battery", probes.battery(), Optional.empty());
    CompletableFuture<List<NetworkLink>> links = start("network", probes.links(), List.of());
    List<CompletableFuture<List<Gpu>>> gpus =
        probes.gpus().stream()
            .map(probe -> start(probe.getClass().getSimpleName(), probe, List.<Gpu>of()))
            .toList();
    return new Capability(
        hostName.join(),
        system.join(),
        System.getProperty("os.arch", ""),
        cpu.join(),
        memory.join(),
        disk.join(),
        battery.join(),
        links.join(),
        gpus.stream().map(CompletableFuture::join).flatMap(Collection::stream).toList(),
        Engines.UNKNOWN);
  }

  private <T> CompletableFuture<T> start(String name, Probe<T> probe, T unknown) {
    return CompletableFuture.supplyAsync(
            () -> {
              try {
                return probe.probe();
              } catch (Exception failure) {
                throw new CompletionException(failure);
              }
            },
            Thread::startVirtualThread)
        .orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS)
        // Throwable: a native library that does not load is an Error, and no reason to give up.
        .exceptionally(
            failure -> {
              Throwable cause =
                  failure instanceof CompletionException && failure.getCause() != null
                      ? failure.getCause()
                      : failure;
              LOG.warn("probe failed probe={} reason={}", name, cause.toString());
              return unknown;
            });
  }

  private static Cpu unknownCpu() {
    return new Cpu("", 0, Runtime.getRuntime().availableProcessors(), List.of());
  }
}
