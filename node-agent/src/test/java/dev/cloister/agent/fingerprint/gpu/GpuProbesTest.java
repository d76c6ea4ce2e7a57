package dev.cloister.agent.fingerprint.gpu;

import static dev.cloister.agent.fingerprint.gpu.FakeRunner.failing;
import static dev.cloister.agent.fingerprint.gpu.FakeRunner.fixture;
import static dev.cloister.agent.fingerprint.gpu.FakeRunner.printing;
import static dev.cloister.agent.fingerprint.gpu.Gpu.Vendor.AMD;
import static dev.cloister.agent.fingerprint.gpu.Gpu.Vendor.APPLE;
import static dev.cloister.agent.fingerprint.gpu.Gpu.Vendor.NVIDIA;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.cloister.agent.fingerprint.host.CommandRunner;
import dev.cloister.agent.fingerprint.host.Memory;
import dev.cloister.agent.fingerprint.host.Probe;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GpuProbesTest {

  private static final long MIB = 1 << 20;
  private static final Memory MACHINE = new Memory(128L << 30, 100L << 30);

  private static List<Gpu> nvidia(CommandRunner runner) throws Exception {
    return new NvidiaSmiProbe(runner, () -> MACHINE).probe();
  }

  private static List<Gpu> amd(CommandRunner runner) throws Exception {
    return new RocmSmiProbe(runner).probe();
  }

  private static List<Gpu> mac(CommandRunner runner) throws Exception {
    return new SystemProfilerProbe(runner, () -> MACHINE).probe();
  }

  private static Gpu nvidiaGpu(String model, long totalMib, long freeMib, String driver) {
    return new Gpu(NVIDIA, model, totalMib * MIB, freeMib * MIB, false, driver);
  }

  @Test
  void oneNvidiaCardIsReadWithItsMemoryAndDriver() throws Exception {
    assertThat(nvidia(printing(fixture("nvidia-smi/rtx-4080-super.csv"))))
        .containsExactly(nvidiaGpu("NVIDIA GeForce RTX 4080 SUPER", 16376, 15348, "595.71.05"));
    assertThat(nvidia(printing(fixture("nvidia-smi/h200.csv"))))
        .containsExactly(nvidiaGpu("NVIDIA H200", 143771, 143156, "580.173.02"));
  }

  @Test
  void severalNvidiaCardsKeepTheirOrder() throws Exception {
    assertThat(nvidia(printing(fixture("nvidia-smi/rtx-5090-and-3090.csv"))))
        .containsExactly(
            nvidiaGpu("NVIDIA GeForce RTX 5090", 32607, 32589, "580.119.02"),
            nvidiaGpu("NVIDIA GeForce RTX 3090", 24576, 1224, "580.119.02"));
  }

  @Test
  void aCardCutIntoSlicesIsReportedWholeOnItsHostAndWithUnknownMemoryInAContainer()
      throws Exception {
    assertThat(nvidia(printing(fixture("nvidia-smi/h100-mig.csv"))))
        .containsExactly(nvidiaGpu("NVIDIA H100 80GB HBM3", 81559, 81022, "590.48.01"));
    assertThat(nvidia(printing(fixture("nvidia-smi/a100-mig-in-container.csv"))))
        .containsExactly(nvidiaGpu("NVIDIA A100-SXM4-80GB", 0, 0, "535.161.08"));
  }

  @Test
  void systemsOnAChipShareTheMachinesMemory() throws Exception {
    assertThat(nvidia(printing(fixture("nvidia-smi/gb10.csv"))))
        .containsExactly(
            new Gpu(NVIDIA, "NVIDIA GB10", 128L << 30, 100L << 30, true, "580.126.09"));
    assertThat(nvidia(printing(fixture("nvidia-smi/jetson-orin.csv"))))
        .containsExactly(new Gpu(NVIDIA, "Orin (nvgpu)", 128L << 30, 100L << 30, true, "540.4.0"));
    assertThat(nvidia(printing("NVIDIA GB10, [Not Supported], [Not Supported], [N/A]\n")))
        .containsExactly(new Gpu(NVIDIA, "NVIDIA GB10", 128L << 30, 100L << 30, true, ""));
  }

  @Test
  void noDevicesAndABrokenDriverAreNoGpus() throws Exception {
    assertThat(nvidia(printing(fixture("nvidia-smi/no-devices.txt")))).isEmpty();
    assertThat(nvidia(failing(6, fixture("nvidia-smi/no-devices.txt")))).isEmpty();
    assertThat(nvidia(failing(18, fixture("nvidia-smi/driver-mismatch.txt")))).isEmpty();
    assertThat(nvidia(printing(fixture("nvidia-smi/driver-mismatch.txt")))).isEmpty();
  }

  @Test
  void absurdFiguresCountAsUnknown() throws Exception {
    assertThat(nvidia(printing("X, -5, -5, 1\nY, 99999999999, 7, 1\nZ, 10, 20, 1\n")))
        .containsExactly(
            nvidiaGpu("X", 0, 0, "1"), nvidiaGpu("Y", 0, 0, "1"), nvidiaGpu("Z", 10, 10, "1"));
    assertThat(amd(printing("{\"card0\":{\"VRAM Total Memory (B)\":\"9223372036854775807\"}}")))
        .containsExactly(new Gpu(AMD, "AMD GPU", 0, 0, false, ""));
  }

  @Test
  void rocm5And6AndLaterAreReadAlike() throws Exception {
    assertThat(amd(printing(fixture("rocm-smi/mi100-rocm-5.7.1.json"))))
        .hasSize(2)
        .contains(
            new Gpu(
                AMD,
                "Arcturus GL-XL [Instinct MI100]",
                34342961152L,
                34342961152L - 6782976,
                false,
                ""));
    assertThat(amd(printing(fixture("rocm-smi/mi100-rocm-6.0.2.json"))))
        .hasSize(4)
        .allSatisfy(gpu -> assertThat(gpu.driverVersion()).isEqualTo("6.3.6"));
    assertThat(amd(printing(fixture("rocm-smi/rx-7900-xt-rocm-7.json"))))
        .containsExactly(new Gpu(AMD, "Radeon RX 7900 XT", 21458059264L, 21430202368L, false, ""));
  }

  @Test
  void aWarningBeforeTheJsonIsSkipped() throws Exception {
    assertThat(amd(printing(fixture("rocm-smi/mi300x-composed.json"))))
        .singleElement()
        .satisfies(gpu -> assertThat(gpu.model()).isEqualTo("AMD Instinct MI300X"))
        .satisfies(gpu -> assertThat(gpu.memoryTotalBytes()).isEqualTo(206141652992L));
    assertThat(amd(printing(fixture("rocm-smi/no-json.txt")))).isEmpty();
  }

  @Test
  void appleSiliconSharesTheMachinesMemory() throws Exception {
    assertThat(mac(printing(fixture("system_profiler/m1.json"))))
        .containsExactly(new Gpu(APPLE, "Apple M1", 128L << 30, 100L << 30, true, ""));
    assertThat(mac(printing(fixture("system_profiler/m3-max.json"))))
        .containsExactly(new Gpu(APPLE, "Apple M3 Max", 128L << 30, 100L << 30, true, ""));
  }

  @Test
  void anIntelMacReportsItsCardAndNotTheProcessorsGraphics() throws Exception {
    assertThat(mac(printing(fixture("system_profiler/intel-and-radeon-composed.json"))))
        .containsExactly(new Gpu(AMD, "Radeon Pro 560X", 4L << 30, 0, false, ""));
  }

  @Test
  void aMissingOrSlowToolIsNoGpus() throws Exception {
    for (CommandRunner.Outcome outcome :
        List.of(new CommandRunner.Outcome.Missing(), new CommandRunner.Outcome.TimedOut())) {
      assertThat(nvidia(new FakeRunner(outcome))).isEmpty();
      assertThat(amd(new FakeRunner(outcome))).isEmpty();
      assertThat(mac(new FakeRunner(outcome))).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\n\n",
        "{",
        "{}",
        "[]",
        "null",
        "{\"card0\":",
        "{\"card0\":7,\"card1\":[],\"system\":3}",
        "{\"SPDisplaysDataType\":{\"a\":1}}",
        "{\"SPDisplaysDataType\":[1,null,{\"sppci_model\":{}}]}",
        ",,,,,,",
        "\0\0\0"
      })
  void garbageIsRefusedOrReadAsNothingReal(String output) {
    readAll(output);
  }

  @Test
  void randomAndEnormousOutputsAreSurvived() {
    long seed = 20261121;
    Random random = new Random(seed);
    StringBuilder noise = new StringBuilder();
    for (int i = 0; i < 20_000; i++) {
      noise.append((char) random.nextInt(1 << 16));
    }
    readAll(noise.toString());
    readAll("a, 1, 1, b\n".repeat(1_000_000));
    readAll("{".repeat(1_000_000));
    readAll("[".repeat(1_000_000));
  }

  /** A probe may refuse JSON that is none; everything else has to be an answer. */
  private static void readAll(String output) {
    for (Probe<List<Gpu>> probe :
        List.<Probe<List<Gpu>>>of(
            () -> nvidia(printing(output)),
            () -> amd(printing(output)),
            () -> mac(printing(output)))) {
      try {
        assertThat(probe.probe()).hasSizeLessThanOrEqualTo(GpuTool.MOST_GPUS);
      } catch (Exception refused) {
        assertThat(refused).isInstanceOf(JsonProcessingException.class);
      }
    }
  }
}
