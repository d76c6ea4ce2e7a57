package dev.cloister.agent.fingerprint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.agent.fingerprint.gpu.Gpu;
import dev.cloister.agent.fingerprint.host.Host;
import dev.cloister.agent.fingerprint.host.Memory;
import dev.cloister.agent.fingerprint.host.MemorySpeed;
import dev.cloister.agent.fingerprint.host.OshiHost;
import dev.cloister.agent.fingerprint.host.Probe;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class FingerprintTest {

  private static final Gpu GPU = new Gpu(Gpu.Vendor.AMD, "x", 2, 1, false, "");

  private static Probes probes(Probe<Memory> memory, List<Probe<List<Gpu>>> gpus) {
    return new Probes(
        () -> "host",
        () -> "system",
        () -> new Cpu("cpu", 1, 2, List.of("avx2")),
        memory,
        () -> new Disk(20, 10),
        Optional::empty,
        List::of,
        gpus);
  }

  @Test
  void thisMachineIsDescribedSanely(@TempDir Path directory) {
    Capability capability = new Fingerprint(directory.resolve("not/yet/there")).take();
    assertThat(capability.hostName()).isNotEmpty();
    assertThat(capability.operatingSystem()).isNotEmpty();
    assertThat(capability.cpu().logicalCores())
        .isEqualTo(Runtime.getRuntime().availableProcessors());
    assertThat(capability.memory().availableBytes()).isPositive();
    assertThat(capability.disk().freeBytes()).isPositive();
  }

  /** It takes some tenths of a second. */
  @Test
  @Timeout(2)
  void thisMachineMeasuresItselfInUnderTwoSeconds(@TempDir Path directory) throws Exception {
    Capability capability = new Fingerprint(directory).take();
    assertThat(MemorySpeed.bytesPerSecond(InstantSource.system(), capability.cpu().physicalCores()))
        .isGreaterThan(1e8);
  }

  @Test
  void oshiTellsTheSameOfThisMachine() throws Exception {
    Host ours = Host.ofThisMachine();
    Host oshi = new OshiHost();
    assertThat(oshi.memory().totalBytes()).isEqualTo(ours.memory().totalBytes());
    assertThat(oshi.processor().model()).isEqualTo(ours.processor().model());
    assertThat(oshi.battery().isPresent()).isEqualTo(ours.battery().isPresent());
    assertThat(oshi.cpuTime().total()).isPositive();
    assertThat(new CpuProbe(oshi, "amd64", 64).probe().vectorExtensions())
        .isEqualTo(new CpuProbe(ours, "amd64", 64).probe().vectorExtensions());
  }

  @Test
  void aProbeThatFailsLeavesOnlyItsOwnPartUnknown() {
    Probe<List<Gpu>> broken =
        () -> {
          throw new UnsatisfiedLinkError("no library");
        };
    Probe<Memory> failing =
        () -> {
          throw new IllegalStateException("no memory");
        };
    Capability capability =
        new Fingerprint(probes(failing, List.of(broken, () -> List.of(GPU))), Duration.ofSeconds(9))
            .take();
    assertThat(capability.memory()).isEqualTo(new Memory(0, 0));
    assertThat(capability.gpus()).containsExactly(GPU);
    assertThat(capability.disk()).isEqualTo(new Disk(20, 10));
  }

  @Test
  @Timeout(20)
  void aProbeThatHangsIsLeftBehind() {
    CountDownLatch never = new CountDownLatch(1);
    Probe<List<Gpu>> hanging =
        () -> {
          never.await();
          return List.of(GPU);
        };
    Capability capability =
        new Fingerprint(
                probes(() -> new Memory(2, 1), List.of(hanging, () -> List.of(GPU))),
                Duration.ofMillis(200))
            .take();
    assertThat(capability.gpus()).containsExactly(GPU);
    never.countDown();
  }

  @Test
  @Timeout(20)
  void probesRunAtTheSameTime() {
    CyclicBarrier allThree = new CyclicBarrier(3);
    Probe<List<Gpu>> waiting =
        () -> {
          allThree.await();
          return List.of(GPU);
        };
    Capability capability =
        new Fingerprint(
                probes(() -> new Memory(2, 1), List.of(waiting, waiting, waiting)),
                Duration.ofSeconds(15))
            .take();
    assertThat(capability.gpus()).containsExactly(GPU, GPU, GPU);
  }
}
