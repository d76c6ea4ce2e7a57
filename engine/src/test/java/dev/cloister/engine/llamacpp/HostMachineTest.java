package dev.cloister.engine.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.cloister.engine.generation.ModelLoadException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostMachineTest {

  @TempDir private Path root;

  @Test
  void availableMemoryIsTheMachinesOrTheGroups() throws IOException {
    HostMachine machine = new HostMachine(root);
    assertThat(machine.availableBytes()).isEmpty();
    write("proc/meminfo", "MemTotal:  100 kB\nMemAvailable:   80 kB\n");
    assertThat(machine.availableBytes()).hasValue(80 << 10);
    write("proc/self/cgroup", "0::/engines/a\n");
    write("sys/fs/cgroup/engines/a/memory.max", "max\n");
    assertThat(machine.availableBytes()).hasValue(80 << 10);
    write("sys/fs/cgroup/engines/a/memory.max", "10000\n");
    write("sys/fs/cgroup/engines/a/memory.current", "9000\n");
    write("sys/fs/cgroup/engines/a/memory.stat", "anon 1\nactive_file 300\ninactive_file 200\n");
    assertThat(machine.availableBytes()).hasValue(1500);
  }

  @Test
  void hardwareThreadsOfOneCoreCountOnce() throws IOException {
    for (int processor = 0; processor < 4; processor++) {
      String topology = "sys/devices/system/cpu/cpu%d/topology/".formatted(processor);
      write(topology + "physical_package_id", "0\n");
      write(topology + "core_id", "7\n");
    }
    assertThat(new HostMachine(root).physicalCores()).isEqualTo(1);
    assertThat(new HostMachine(root.resolve("absent")).physicalCores()).isPositive();
  }

  @Test
  void whatDoesNotFitIsRefusedInOneSentence() throws ModelLoadException {
    HostMachine.requireMemory("model", 100, OptionalLong.of(100));
    HostMachine.requireMemory("model", 100, OptionalLong.empty());
    assertThatExceptionOfType(ModelLoadException.class)
        .isThrownBy(
            () -> HostMachine.requireMemory("model", 7_623_567_974L, OptionalLong.of(3L << 30)))
        .withMessageStartingWith("model needs about 7.1 GiB, and 3.0 GiB are free");
  }

  private void write(String file, String content) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, content);
  }
}
