package dev.cloister.engine.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.cloister.engine.library.LibraryInstallException.Reason;
import dev.cloister.engine.library.LibraryInstaller.Outcome;
import dev.cloister.testkit.FileServer;
import dev.cloister.testkit.TarArchive;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
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
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
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
    Steps steps = new Steps();

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
            .install(TestPackage.build(Backend.CUDA, cuda, older), new Steps())
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
    installer(registry.address()).install(build, new Steps());

    Outcome again = installer(registry.address()).install(build, new Steps());

    assertThat(again.fresh()).isFalse();
    assertThat(registry.requests()).hasSize(1);
  }

  @Test
  void a_damaged_library_is_replaced() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.serve(cpu.path(), cpu.packed());
    LibraryBuild build = TestPackage.build(Backend.CPU, cpu);
    InstalledLibrary first = installer(registry.address()).install(build, new Steps()).library();
    Files.delete(first.llama());
    assertThat(InstalledLibraries.in(cache).damaged()).hasSize(1);

    assertThat(installer(registry.address()).install(build, new Steps()).fresh()).isTrue();
    assertThat(first.llama()).exists();

    Files.writeString(first.folder().resolve("libggml-base.so"), "basf");
    assertThat(installer(registry.address()).install(build, new Steps()).fresh()).isTrue();
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
                  .install(TestPackage.build(Backend.CPU, cpu), new Steps())
                  .fresh())
          .isTrue();
    }
  }

  @Test
  void a_file_with_another_digest_is_refused() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    byte[] altered = cpu.packed().clone();
    altered[altered.length / 2] ^= 1;
    registry.serve(cpu.path(), altered);

    assertFails(cpu, Reason.REFUSED)
        .hasMessageMatching(
            "@test/linux-x64-cpu 1.2.3 from this registry does not have the pinned digest"
                + " \\(sha512-.+, expected: sha512-.+\\); nothing was installed");
  }

  @Test
  void a_file_larger_than_pinned_is_refused_without_reading_it_all() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.serve(cpu.path(), new byte[50_000_000]);

    assertFails(cpu, Reason.REFUSED).hasMessageContaining("is larger than the pinned");
  }

  @Test
  void a_body_that_breaks_off_is_refused() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.breakOff(cpu.path(), cpu.packed());

    assertFails(cpu, Reason.UNREACHABLE).hasMessageContaining("broke off");
  }

  @Test
  void a_shorter_file_is_refused() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.serve(cpu.path(), new byte[10]);

    assertFails(cpu, Reason.UNREACHABLE).hasMessageContaining("broke off after 10 of ");
  }

  @Test
  void a_registry_that_stops_sending_is_given_up() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.stall(cpu.path(), cpu.packed());

    assertFails(cpu, Reason.TIMED_OUT).hasMessageContaining("does not answer in time");
  }

  @Test
  void a_missing_package_is_said_to_be_missing() throws Exception {
    assertFails(TestPackage.main(Backend.CPU), Reason.NOT_FOUND)
        .hasMessage(
            "the registry %s does not have @test/linux-x64-cpu 1.2.3; name another one with"
                + " --registry",
            registry.address());
  }

  @Test
  void a_failing_registry_is_named() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.fail(cpu.path(), 500);

    assertFails(cpu, Reason.UNREACHABLE)
        .hasMessage(
            "%s%s answered with status 500 (expected: 200)", registry.address(), cpu.path());
  }

  @Test
  void a_registry_that_cannot_be_reached_is_named() throws Exception {
    int free;
    try (ServerSocket socket = new ServerSocket(0)) {
      free = socket.getLocalPort();
    }
    TestPackage cpu = TestPackage.main(Backend.CPU);

    assertFails(URI.create("http://127.0.0.1:" + free), cpu, Reason.UNREACHABLE)
        .hasMessageContaining("cannot be reached");
    assertFails(URI.create("http://registry.invalid"), cpu, Reason.UNREACHABLE)
        .hasMessageContaining("unknown host registry.invalid");
  }

  @Test
  void a_redirect_to_another_server_is_followed_because_the_digest_decides() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    try (FileServer storage = FileServer.start()) {
      storage.serve("/blob", cpu.packed());
      registry.redirect(cpu.path(), storage.address().resolve("/blob"));
      assertThat(
              installer(registry.address())
                  .install(TestPackage.build(Backend.CPU, cpu), new Steps())
                  .fresh())
          .isTrue();

      cache = directory.resolve("second");
      storage.serve("/blob", new byte[cpu.packed().length]);
      assertFails(cpu, Reason.REFUSED).hasMessageContaining("does not have the pinned digest");
    }
  }

  @Test
  void redirects_in_a_circle_and_to_other_protocols_end() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.redirect(cpu.path(), registry.address().resolve(cpu.path()));
    assertFails(cpu, Reason.UNREACHABLE).hasMessageContaining("status 302");

    registry.redirect(cpu.path(), directory.toUri());
    assertFails(cpu, Reason.UNREACHABLE).hasMessageContaining("status 302");
  }

  @Test
  void an_archive_that_is_not_fit_to_be_unpacked_leaves_nothing() throws Exception {
    TestPackage traversal =
        TestPackage.of(
            "linux-x64-cpu",
            TestPackage.usual(Backend.CPU)
                .file("package/bins/linux-x64-cpu/../../../evil.so", new byte[1]));
    registry.serve(traversal.path(), traversal.packed());

    assertFails(traversal, Reason.REFUSED)
        .hasMessage(
            "the archive of @test/linux-x64-cpu 1.2.3 holds the path"
                + " package/bins/linux-x64-cpu/../../../evil.so, which leads outside of it;"
                + " nothing was installed");
    try (Stream<Path> all = Files.walk(directory)) {
      assertThat(all.map(Path::getFileName).map(Path::toString)).doesNotContain("evil.so");
    }
  }

  @Test
  void a_package_without_llama_is_refused() throws Exception {
    TestPackage empty =
        TestPackage.of(
            "linux-x64-cpu", new TarArchive().file("package/LICENSE", TestPackage.bytes("MIT")));
    registry.serve(empty.path(), empty.packed());

    assertFails(empty, Reason.REFUSED)
        .hasMessage(
            "llama.cpp 0.5.0 for cpu is not complete: libllama is missing; nothing was installed");
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
                          () -> installer(registry.address()).install(build, new Steps())))
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
                installer.install(TestPackage.build(Backend.CPU, cpu), new Steps());
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

    installer(registry.address()).install(TestPackage.build(Backend.CPU, cpu), new Steps());

    assertNothingUnfinished();
  }

  @Test
  void a_cache_that_cannot_be_made_is_named() throws Exception {
    Files.writeString(directory.resolve("home"), "a file");

    assertFails(TestPackage.main(Backend.CPU), Reason.CACHE)
        .hasMessage(
            "llama.cpp 0.5.0 for cpu cannot be installed into %s: %s is in the way",
            cache, directory.resolve("home"));
  }

  @Test
  void a_cache_this_user_may_not_write_is_named() throws Exception {
    Files.createDirectories(cache);
    Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("r-x------"));
    assumeThat(Files.isWritable(cache)).as("this user is root").isFalse();

    assertFails(TestPackage.main(Backend.CPU), Reason.CACHE)
        .hasMessageContaining("this user may not write");
  }

  @Test
  void a_cache_that_fails_in_the_middle_is_named_and_left_empty() throws Exception {
    TestPackage cpu = TestPackage.main(Backend.CPU);
    registry.serve(cpu.path(), cpu.packed());
    Steps removing =
        new Steps() {
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

    installer(registry.address()).install(TestPackage.build(Backend.CPU, cpu), new Steps());

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(cache)))
        .isEqualTo("rwxr-xr-x");
  }

  @Test
  void an_address_that_is_none_is_refused() {
    for (String address : List.of("registry", "ftp://registry", "https:registry", "file:///x")) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> installer(URI.create(address)))
          .withMessage(
              "registry: %s (expected: an address like https://registry.npmjs.org)", address);
    }
  }

  private LibraryInstaller installer(URI address) {
    return new LibraryInstaller(address, cache, Duration.ofSeconds(5), Duration.ofSeconds(1));
  }

  private AbstractThrowableAssert<?, ? extends Throwable> assertFails(
      TestPackage wanted, Reason reason) throws IOException {
    return assertFails(registry.address(), wanted, reason);
  }

  private AbstractThrowableAssert<?, ? extends Throwable> assertFails(
      URI address, TestPackage wanted, Reason reason) throws IOException {
    AbstractThrowableAssert<?, ? extends Throwable> failure =
        assertThatThrownBy(
                () ->
                    installer(address).install(TestPackage.build(Backend.CPU, wanted), new Steps()))
            .isInstanceOfSatisfying(
                LibraryInstallException.class,
                e -> assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason));
    if (Files.isDirectory(cache)) {
      assertThat(files(cache)).isSubsetOf(".lock");
    }
    return failure;
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

  private static class Steps implements LibraryInstaller.Progress {
    private final AtomicLong received = new AtomicLong();

    @Override
    public void waiting() {}

    @Override
    public void received(long bytes, long total) {
      assertThat(bytes).isBetween(received.get(), total);
      received.set(bytes);
    }

    @Override
    public void unpacking() {}
  }
}
