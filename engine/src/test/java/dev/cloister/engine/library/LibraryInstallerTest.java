package dev.cloister.engine.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.engine.library.LibraryInstallException.Reason;
import dev.cloister.engine.library.LibraryInstaller.Outcome;
import dev.cloister.testkit.FileServer;
import dev.cloister.testkit.TarArchive;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibraryInstallerTest {
  @TempDir private Path directory;
  private Path cache;
  private FileServer registry;

  @BeforeEach
  void start() throws IOException {
    cache = directory.resolve("home/lib");
    registry = FileServer.start();
  }

  @AfterEach
  void stop() {
    registry.close();
  }

  @Test
  void an_installed_library_is_found_with_the_files_it_needs_and_no_others() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.serve(cpu.path(), cpu.packed());
    ReceivedBytes steps = new ReceivedBytes();

    Outcome outcome =
        installer(registry.address()).install(TestPackage.build(Backend.CPU, cpu), steps);

    assertThat(outcome.fresh()).isTrue();
    assertThat(outcome.library().folder())
        .isEqualTo(cache.resolve("llama.cpp-0.5.0-linux-x64-cpu"));
    assertThat(files(outcome.library().folder()))
        .containsExactly(
            "LICENSE.linux-x64-cpu",
            "MANIFEST",
            "libggml-base.so",
            "libggml-cpu-haswell.so",
            "libllama.v0.5.0.so");
    assertThat(outcome.library().llama())
        .hasBinaryContent(TestPackage.bytes("llama".repeat(30_000)));
    assertThat(outcome.library().verify()).isEmpty();
    assertThat(InstalledLibraries.in(cache).usable()).containsExactly(outcome.library());
    assertThat(steps.received).hasValue(cpu.packed().length);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(cache)))
        .isEqualTo("rwx------");
    assertNothingUnfinished();
  }

  @Test
  void a_build_of_two_packages_is_merged_into_one_folder() throws Exception {
    TestPackage cuda = TestPackage.main(Backend.CUDA);
    TestPackage older =
        TestPackage.named(
            "linux-x64-cuda-ext",
            "linux-x64-cuda",
            new TarArchive()
                .file("package/LICENSE", TestPackage.bytes("MIT"))
                .file(
                    "package/bins/linux-x64-cuda/fallback/libggml-cuda.so",
                    TestPackage.bytes("cuda 12"))
                .packed());
    registry.serve(cuda.path(), cuda.packed());
    registry.serve(older.path(), older.packed());

    InstalledLibrary library =
        installer(registry.address())
            .install(TestPackage.build(Backend.CUDA, cuda, older), new ReceivedBytes())
            .library();

    assertThat(library.folder().resolve("fallback/libggml-cuda.so")).hasContent("cuda 12");
    assertThat(library.backendFolders())
        .containsExactly(library.folder(), library.folder().resolve("fallback"));
  }

  @Test
  void what_is_installed_is_not_fetched_again() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.serve(cpu.path(), cpu.packed());
    LibraryBuild build = TestPackage.build(Backend.CPU, cpu);
    installer(registry.address()).install(build, new ReceivedBytes());

    Outcome again = installer(registry.address()).install(build, new ReceivedBytes());

    assertThat(again.fresh()).isFalse();
    assertThat(registry.requests()).hasSize(1);
  }

  @Test
  void a_damaged_library_is_replaced() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.serve(cpu.path(), cpu.packed());
    LibraryBuild build = TestPackage.build(Backend.CPU, cpu);
    InstalledLibrary first =
        installer(registry.address()).install(build, new ReceivedBytes()).library();
    Files.delete(first.llama());
    assertThat(InstalledLibraries.in(cache).damaged()).hasSize(1);

    assertThat(installer(registry.address()).install(build, new ReceivedBytes()).fresh()).isTrue();
    assertThat(first.llama()).exists();

    Files.writeString(first.folder().resolve("libggml-base.so"), "basf");
    assertThat(installer(registry.address()).install(build, new ReceivedBytes()).fresh()).isTrue();
    assertThat(first.folder().resolve("libggml-base.so")).hasContent("base");
    assertNothingUnfinished();
  }

  @Test
  void a_registry_with_a_path_and_a_slash_at_the_end_is_one_too() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.serve("/mirror/npm" + cpu.path(), cpu.packed());

    for (String path : List.of("/mirror/npm", "/mirror/npm/")) {
      cache = directory.resolve(path.length() + "");
      assertThat(
              installer(registry.address().resolve(path))
                  .install(TestPackage.build(Backend.CPU, cpu), new ReceivedBytes())
                  .fresh())
          .isTrue();
    }
  }

  @Test
  void two_installers_at_once_fetch_the_library_once() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.serve(cpu.path(), cpu.packed());
    LibraryBuild build = TestPackage.build(Backend.CPU, cpu);

    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Outcome>> outcomes =
          Stream.generate(
                  () ->
                      threads.submit(
                          () -> installer(registry.address()).install(build, new ReceivedBytes())))
              .limit(8)
              .toList();
      int fresh = 0;
      for (Future<Outcome> outcome : outcomes) {
        fresh += outcome.get().fresh() ? 1 : 0;
      }
      assertThat(fresh).isOne();
    }
    assertThat(registry.requests()).hasSize(1);
    assertNothingUnfinished();
  }

  @Test
  void closing_ends_an_install_and_leaves_nothing() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    CountDownLatch half = registry.stall(cpu.path(), cpu.packed());
    LibraryInstaller installer = new LibraryInstaller(registry.address(), cache);
    CompletableFuture<Throwable> failure = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                installer.install(TestPackage.build(Backend.CPU, cpu), new ReceivedBytes());
              } catch (LibraryInstallException e) {
                failure.complete(e);
              }
            });
    assertThat(half.await(10, TimeUnit.SECONDS)).isTrue();

    installer.close();

    assertThat(failure.get(10, TimeUnit.SECONDS))
        .isInstanceOfSatisfying(
            LibraryInstallException.class,
            e -> assertThat(e.reason()).isEqualTo(Reason.INTERRUPTED));
    assertNothingUnfinished();
  }

  @Test
  void what_a_killed_installer_left_is_removed() throws Exception {
    Path left = cache.resolve(".installing/library");
    Files.createDirectories(left);
    Files.writeString(left.resolve("libllama.v0.5.0.so"), "half");
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.serve(cpu.path(), cpu.packed());

    installer(registry.address()).install(TestPackage.build(Backend.CPU, cpu), new ReceivedBytes());

    assertNothingUnfinished();
  }

  @Test
  void a_cache_that_fails_in_the_middle_is_named_and_left_empty() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.serve(cpu.path(), cpu.packed());
    ReceivedBytes removing =
        new ReceivedBytes() {
          @Override
          public void unpacking() {
            try {
              Files.delete(cache.resolve(".installing/linux-x64-cpu.tgz"));
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          }
        };

    assertThatThrownBy(
            () ->
                installer(registry.address())
                    .install(TestPackage.build(Backend.CPU, cpu), removing))
        .isInstanceOfSatisfying(
            LibraryInstallException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CACHE))
        .hasMessageMatching("llama.cpp 0.5.0 for cpu cannot be installed into .+tgz is missing");
    assertThat(files(cache)).containsExactly(".lock");
    assertNothingUnfinished();
  }

  @Test
  void a_cache_that_others_can_write_is_closed_to_them() throws Exception {
    Files.createDirectories(cache);
    Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.serve(cpu.path(), cpu.packed());

    installer(registry.address()).install(TestPackage.build(Backend.CPU, cpu), new ReceivedBytes());

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(cache)))
        .isEqualTo("rwxr-xr-x");
  }

  private LibraryInstaller installer(URI address) {
    return new LibraryInstaller(address, cache, Duration.ofSeconds(5), Duration.ofSeconds(1));
  }

  private void assertNothingUnfinished() {
    assertThat(cache.resolve(".installing")).doesNotExist();
  }

  private static List<String> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> folder.relativize(file).toString())
          .sorted()
          .toList();
    }
  }
}
