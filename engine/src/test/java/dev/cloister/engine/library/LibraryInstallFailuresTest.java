package dev.cloister.engine.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.cloister.engine.library.LibraryInstallException.Reason;
import dev.cloister.testkit.FileServer;
import dev.cloister.testkit.TarArchive;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibraryInstallFailuresTest {
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
                  .install(TestPackage.build(Backend.CPU, cpu), new ReceivedBytes())
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
                    installer(address)
                        .install(TestPackage.build(Backend.CPU, wanted), new ReceivedBytes()))
            .isInstanceOfSatisfying(
                LibraryInstallException.class,
                e -> assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason));
    if (Files.isDirectory(cache)) {
      assertThat(files(cache)).isSubsetOf(".lock");
    }
    return failure;
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
