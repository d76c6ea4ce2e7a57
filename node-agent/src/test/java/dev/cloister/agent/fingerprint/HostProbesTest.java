package dev.cloister.agent.fingerprint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.agent.fingerprint.host.Battery;
import dev.cloister.agent.fingerprint.host.ControlGroup;
import dev.cloister.agent.fingerprint.host.Host;
import dev.cloister.agent.fingerprint.host.LinkAddresses;
import dev.cloister.agent.fingerprint.host.LinuxHost;
import dev.cloister.agent.fingerprint.host.Memory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The probes over a {@code /proc} and {@code /sys} of our own making. */
class HostProbesTest {

  private static final long MIB = 1 << 20;
  private static final long GIB = 1 << 30;

  @TempDir Path root;

  private void file(String name, String content) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }

  private LinuxHost host() {
    return new LinuxHost(root);
  }

  private Memory memory() throws Exception {
    file("proc/meminfo", "MemTotal:       16777216 kB\nMemFree: 1 kB\nMemAvailable: 8388608 kB\n");
    return new MemoryProbe(host(), new ControlGroup(root)).probe();
  }

  @Test
  void withoutALimitTheMachinesMemoryCounts() throws Exception {
    assertThat(memory()).isEqualTo(new Memory(16 * GIB, 8 * GIB));
    file("proc/self/cgroup", "0::/user.slice\n");
    file("sys/fs/cgroup/user.slice/memory.max", "max\n");
    assertThat(memory()).isEqualTo(new Memory(16 * GIB, 8 * GIB));
  }

  @Test
  void aContainersLimitCountsAndItsCacheIsAvailable() throws Exception {
    file("proc/self/cgroup", "0::/\n");
    file("sys/fs/cgroup/memory.max", 2 * GIB + "\n");
    file("sys/fs/cgroup/memory.current", GIB + "\n");
    file("sys/fs/cgroup/memory.stat", "anon 5\ninactive_file " + 256 * MIB + "\n");
    assertThat(memory()).isEqualTo(new Memory(2 * GIB, GIB + 256 * MIB));
  }

  @Test
  void theTightestOfNestedGroupsWins() throws Exception {
    file("proc/self/cgroup", "0::/a/b\n");
    file("sys/fs/cgroup/a/memory.max", 2 * GIB + "\n");
    file("sys/fs/cgroup/a/memory.current", 2 * GIB - 64 * MIB + "\n");
    file("sys/fs/cgroup/a/b/memory.max", 4 * GIB + "\n");
    file("sys/fs/cgroup/a/b/memory.current", "0\n");
    assertThat(memory()).isEqualTo(new Memory(2 * GIB, 64 * MIB));
  }

  @Test
  void version1IsReadFromTheMountWhereTheGroupsPathIsTheHosts() throws Exception {
    file("proc/self/cgroup", "5:cpu:/docker/abc\n4:memory:/docker/abc\n0::/\n");
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", 2 * GIB + "\n");
    file("sys/fs/cgroup/memory/memory.usage_in_bytes", GIB + "\n");
    file("sys/fs/cgroup/memory/memory.stat", "total_inactive_file 0\n");
    assertThat(memory()).isEqualTo(new Memory(2 * GIB, GIB));
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    assertThat(memory()).isEqualTo(new Memory(16 * GIB, 8 * GIB));
  }

  @Test
  void brokenControlGroupFilesLimitNothing() throws Exception {
    file("proc/self/cgroup", "garbage\n0::/../../etc\n::\n");
    file("sys/fs/cgroup/memory.max", "-7\n");
    assertThat(memory()).isEqualTo(new Memory(16 * GIB, 8 * GIB));
  }

  @Test
  void coresAreCountedOnceAndOnlyExtensionsThatMatterAreNamed() throws Exception {
    StringBuilder info = new StringBuilder();
    for (int cpu = 0; cpu < 4; cpu++) {
      info.append("processor\t: ").append(cpu).append("\nmodel name\t: Intel(R) Xeon(R) 6\n");
      info.append("physical id\t: 0\ncore id\t\t: ").append(cpu / 2).append('\n');
      info.append("flags\t\t: fpu sse4_2 avx2 avx512_vnni amx_int8 avx_vnni\n\n");
    }
    file("proc/cpuinfo", info.toString());
    assertThat(new CpuProbe(host(), "amd64", 4).probe())
        .isEqualTo(
            new Cpu(
                "Intel(R) Xeon(R) 6",
                2,
                4,
                List.of("amx-int8", "avx-vnni", "avx2", "avx512-vnni", "sse4-2")));
    assertThat(new CpuProbe(host(), "amd64", 1).probe().physicalCores()).isEqualTo(1);
  }

  @Test
  void armNamesItsFeaturesDifferently() throws Exception {
    file(
        "proc/cpuinfo",
        """
        processor\t: 0
        Features\t: fp asimd asimddp sve i8mm bf16
        CPU implementer\t: 0x41
        CPU part\t: 0xd4f
        """);
    assertThat(new CpuProbe(host(), "aarch64", 1).probe())
        .isEqualTo(
            new Cpu(
                "ARM 0x41 part 0xd4f", 1, 1, List.of("asimddp", "bf16", "i8mm", "neon", "sve")));
  }

  @Test
  void noProcFilesAtAllLeaveTheProcessorUnknown() throws Exception {
    assertThat(new CpuProbe(host(), "amd64", 2).probe()).isEqualTo(new Cpu("", 0, 2, List.of()));
    assertThat(host().cpuTime()).isEqualTo(new Host.CpuTime(0, 0));
    assertThat(host().memory()).isEqualTo(new Memory(0, 0));
  }

  @Test
  void onlyTheMachinesOwnBatteryCounts() throws Exception {
    assertThat(new BatteryProbe(host()).probe()).isEmpty();
    String supply = "sys/class/power_supply/";
    file(supply + "mouse/type", "Battery\n");
    file(supply + "mouse/scope", "Device\n");
    file(supply + "mouse/capacity", "5\n");
    assertThat(new BatteryProbe(host()).probe()).isEmpty();
    file(supply + "BAT0/type", "Battery\n");
    file(supply + "BAT0/capacity", "80\n");
    file(supply + "BAT0/status", "Discharging\n");
    assertThat(new BatteryProbe(host()).probe()).contains(new Battery(0.8, true));
    file(supply + "AC/type", "Mains\n");
    file(supply + "AC/online", "1\n");
    assertThat(new BatteryProbe(host()).probe()).contains(new Battery(0.8, false));
  }

  @Test
  void linksAreThoseToOtherMachines() throws Exception {
    for (String name : List.of("lo", "docker0", "veth1a2b", "br-77", "virbr0", "eth0", "wlan0")) {
      file("sys/class/net/" + name + "/operstate", name.equals("lo") ? "unknown\n" : "up\n");
    }
    file("sys/class/net/eth1/operstate", "down\n");
    file("sys/class/net/eth0/speed", "10000\n");
    file("sys/class/net/wlan0/speed", "-1\n");
    file("sys/class/net/wlan0/wireless/x", "");
    assertThat(
            new NetworkProbe(
                    host(),
                    name ->
                        name.equals("eth0")
                            ? new LinkAddresses("00:1b:44:11:3a:b7", "192.168.1.255")
                            : new LinkAddresses("", ""))
                .probe())
        .containsExactly(
            new NetworkLink("eth0", 10_000_000_000L, false, "00:1b:44:11:3a:b7", "192.168.1.255"),
            new NetworkLink("wlan0", 0, true));
  }

  @Test
  void theLoadIsMeasuredAgainstTheSampleBefore() throws Exception {
    file("proc/stat", "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1\n");
    memory();
    LoadSampler sampler = new LoadSampler(host(), host()::memory);
    assertThat(sampler.sample()).isEqualTo(new Load(0.2, 8 * GIB));
    file("proc/stat", "cpu  175 0 100 725 100 0 0 0 0 0\ncpu0 1\n");
    assertThat(sampler.sample()).isEqualTo(new Load(0.75, 8 * GIB));
    assertThat(sampler.sample()).isEqualTo(new Load(0.75, 8 * GIB));
  }
}
