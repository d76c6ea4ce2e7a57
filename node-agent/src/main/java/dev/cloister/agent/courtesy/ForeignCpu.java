package dev.cloister.agent.courtesy;

import dev.cloister.agent.fingerprint.host.Host;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How much of all cores is used by others than this process and those it started. Not thread-safe:
 * each sample is measured against the one before.
 */
final class ForeignCpu {
  private final Host host;
  private final Supplier<Map<Long, Duration>> ownProcesses;
  private Host.@Nullable CpuTime last;
  private Map<Long, Duration> lastOwn = Map.of();

  /**
   * @param ownProcesses what each of our processes has computed so far, by its id
   */
  ForeignCpu(Host host, Supplier<Map<Long, Duration>> ownProcesses) {
    this.host = host;
    this.ownProcesses = ownProcesses;
  }

  static ForeignCpu ofThisMachine(Host host) {
    return new ForeignCpu(host, ForeignCpu::ownProcesses);
  }

  /** This process and all that came from it. */
  private static Map<Long, Duration> ownProcesses() {
    ProcessHandle self = ProcessHandle.current();
    return Stream.concat(Stream.of(self), self.descendants())
        .collect(
            Collectors.toMap(
                ProcessHandle::pid,
                process -> process.info().totalCpuDuration().orElse(Duration.ZERO),
                (a, b) -> a));
  }

  /** Since the sample before, 0 to 1; empty the first time, and where nobody can tell. */
  OptionalDouble sample() {
    Host.CpuTime now;
    try {
      now = host.cpuTime();
    } catch (IOException e) {
      return OptionalDouble.empty();
    }
    Map<Long, Duration> own = new HashMap<>(ownProcesses.get());
    OptionalDouble share = OptionalDouble.empty();
    if (last != null && now.total() > last.total()) {
      double busy = now.busy() - last.busy();
      double ours = ownSeconds(own) * host.ticksPerSecond();
      share = OptionalDouble.of(Math.clamp((busy - ours) / (now.total() - last.total()), 0.0, 1.0));
    }
    last = now;
    lastOwn = own;
    return share;
  }

  /**
   * Processes that have ended since are left out: what they did in their last moments is foreign.
   */
  private double ownSeconds(Map<Long, Duration> own) {
    double seconds = 0;
    for (Map.Entry<Long, Duration> process : own.entrySet()) {
      Duration before = lastOwn.getOrDefault(process.getKey(), Duration.ZERO);
      seconds += Math.max(0, process.getValue().minus(before).toNanos()) / 1e9;
    }
    return seconds;
  }
}
