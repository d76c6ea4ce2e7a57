package dev.cloister.engine.library;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.engine.llamacpp.capi.LlamaVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstalledLibrariesTest {
  private static final Machine WITHOUT_GPU =
      new Machine(
          TestPackage.PLATFORM,
          Map.of(Backend.CUDA, "needs x", Backend.METAL, "needs x", Backend.VULKAN, "needs x"));

  @TempDir private Path cache;

  @Test
  void a_cache_that_does_not_exist_is_empty() {
    InstalledLibraries libraries = InstalledLibraries.in(cache.resolve("none"));

    assertThat(libraries).isEqualTo(new InstalledLibraries(List.of(), List.of()));
    assertThat(libraries.best(WITHOUT_GPU)).isEmpty();
  }

  @Test
  void libraries_are_named_as_engines_name_them() {
    InstalledLibrary installed =
        new InstalledLibrary("0.5.0", TestPackage.PLATFORM, Backend.CPU, cache, cache, 1);

    assertThat(installed.title()).isEqualTo(LlamaVersion.V0_5_0.title());
    assertThat(InstalledLibraries.BUNDLED).isEqualTo(LlamaVersion.B4916.title());
  }

  @Test
  void what_else_lies_in_the_cache_is_left_alone() throws Exception {
    Files.createDirectories(cache.resolve("jllama-0123"));
    Files.createDirectories(cache.resolve(".installing/library"));

    assertThat(InstalledLibraries.in(cache))
        .isEqualTo(new InstalledLibraries(List.of(), List.of()));
  }

  @Test
  void the_best_library_runs_on_the_gpu_the_machine_has() throws Exception {
    install(TestPackage.PLATFORM, Backend.CPU);
    install(TestPackage.PLATFORM, Backend.VULKAN);
    install(TestPackage.PLATFORM, Backend.CUDA);
    InstalledLibraries libraries = InstalledLibraries.in(cache);

    assertThat(best(libraries, WITHOUT_GPU)).isEqualTo(Backend.CPU);
    assertThat(best(libraries, new Machine(TestPackage.PLATFORM, Map.of())))
        .isEqualTo(Backend.CUDA);
    assertThat(
            best(
                libraries,
                new Machine(TestPackage.PLATFORM, Map.of(Backend.CUDA, "needs a driver"))))
        .isEqualTo(Backend.VULKAN);
  }

  @Test
  void a_library_for_another_platform_is_not_used() throws Exception {
    install(new Platform("linux", "arm64"), Backend.CPU);

    InstalledLibraries libraries = InstalledLibraries.in(cache);

    assertThat(libraries.usable()).hasSize(1);
    assertThat(libraries.best(WITHOUT_GPU)).isEmpty();
  }

  @Test
  void damage_is_named() throws Exception {
    Path folder = install(TestPackage.PLATFORM, Backend.CPU);
    Files.writeString(folder.resolve("libggml-base.so"), "shorter");
    assertDamaged(folder, "libggml-base.so is missing or has another size");

    Files.delete(folder.resolve("libggml-base.so"));
    assertDamaged(folder, "libggml-base.so is missing or has another size");

    for (String content :
        List.of("", "x", "cloister-library 1", "cloister-library 1\n0.5.0 linux x64 tpu")) {
      Files.writeString(folder.resolve("MANIFEST"), content);
      assertDamaged(folder, "MANIFEST ");
    }

    Files.delete(folder.resolve("MANIFEST"));
    assertDamaged(folder, "MANIFEST is missing");
  }

  @Test
  void a_folder_others_can_write_is_not_used() throws Exception {
    Path folder = install(TestPackage.PLATFORM, Backend.CPU);
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwx---"));

    assertDamaged(folder, folder + " can be written by others; close it with: chmod go-w ");
  }

  @Test
  void changed_content_of_the_same_size_is_found_by_reading_it() throws Exception {
    Path folder = install(TestPackage.PLATFORM, Backend.CPU);
    Files.writeString(folder.resolve("libggml-base.so"), "basf");
    InstalledLibrary library = InstalledLibraries.in(cache).usable().getFirst();

    assertThat(library.verify()).hasValue("libggml-base.so has other content than was installed");
  }

  private static Backend best(InstalledLibraries libraries, Machine machine) {
    return libraries.best(machine).orElseThrow().backend();
  }

  private void assertDamaged(Path folder, String reason) {
    InstalledLibraries libraries = InstalledLibraries.in(cache);
    assertThat(libraries.usable()).isEmpty();
    assertThat(libraries.damaged())
        .singleElement()
        .satisfies(
            damaged -> {
              assertThat(damaged.folder()).isEqualTo(folder);
              assertThat(damaged.reason()).startsWith(reason);
            });
  }

  private Path install(Platform platform, Backend backend) throws IOException {
    LibraryBuild build =
        new LibraryBuild("0.5.0", platform, backend, List.of(TestPackage.main(backend).pin()));
    Path folder =
        Files.createDirectory(
            cache.resolve(build.folderName()),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Files.writeString(folder.resolve("libggml-base.so"), "base");
    Files.writeString(folder.resolve("libllama.v0.5.0.so"), "llama");
    LibraryManifest.describe(build, folder).write(folder);
    return folder;
  }
}
