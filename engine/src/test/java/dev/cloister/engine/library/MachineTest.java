package dev.cloister.engine.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MachineTest {
  private static final Platform PLATFORM = new Platform("linux", "x64");

  @Test
  void cuda_takes_the_driver_and_one_whole_runtime() {
    assertThat(linux().obstacle(Backend.CUDA)).hasValue("needs an NVIDIA GPU and its driver");
    assertThat(linux("libcuda.so.1", "libcudart.so.13", "libcublas.so.12").obstacle(Backend.CUDA))
        .hasValue("needs the CUDA runtime, version 12 or 13 (libcudart and libcublas)");
    for (String version : List.of("12", "13")) {
      Machine machine = linux("libcuda.so.1", "libcudart.so." + version, "libcublas.so." + version);
      assertThat(machine.fits(Backend.CUDA)).isTrue();
      assertThat(machine.preferred()).isEqualTo(Backend.CUDA);
    }
  }

  @Test
  void vulkan_takes_its_loader_and_a_gpu_and_is_not_preferred() {
    assertThat(linux().obstacle(Backend.VULKAN))
        .hasValue("needs the Vulkan loader (libvulkan.so.1)");
    assertThat(linux("libvulkan.so.1").obstacle(Backend.VULKAN)).hasValue("needs a GPU");
    assertThat(linux("libvulkan.so.1", "libcuda.so.1").fits(Backend.VULKAN)).isTrue();

    Machine machine = Machine.linux(PLATFORM, true, Set.of("libvulkan.so.1")::contains, true);
    assertThat(machine.fits(Backend.VULKAN)).isTrue();
    assertThat(machine.preferred()).isEqualTo(Backend.CPU);
  }

  @Test
  void an_old_glibc_runs_none_of_them() {
    Machine machine = Machine.linux(PLATFORM, false, _ -> true, true);

    for (Backend backend : List.of(Backend.CPU, Backend.CUDA, Backend.VULKAN)) {
      assertThat(machine.obstacle(backend)).hasValue("needs glibc 2.34 or newer");
    }
  }

  @Test
  void this_machine_is_one() {
    Machine machine = Machine.current();

    assertThat(machine.platform()).isEqualTo(Platform.current());
    assertThat(machine.fits(machine.preferred()) || machine.preferred() == Backend.CPU).isTrue();
  }

  @Test
  void platforms_have_npms_names() {
    assertThat(Platform.of("Linux", "amd64")).hasToString("linux-x64");
    assertThat(Platform.of("Linux", "aarch64")).hasToString("linux-arm64");
    assertThat(Platform.of("Mac OS X", "aarch64")).hasToString("mac-arm64");
    assertThat(Platform.of("Mac OS X", "x86_64")).hasToString("mac-x64");
    assertThat(Platform.of("Windows 11", "amd64")).hasToString("win-x64");
    assertThat(Platform.of("Linux", "riscv64")).hasToString("linux-riscv64");
  }

  private static Machine linux(String... linkable) {
    return Machine.linux(PLATFORM, true, Set.of(linkable)::contains, false);
  }
}
