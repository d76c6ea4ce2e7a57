package dev.cloister.cli.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cloister.cli.Cli;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.Failures;
import dev.cloister.engine.library.Backend;
import dev.cloister.engine.library.LibraryBuild;
import dev.cloister.engine.library.LibraryCatalog;
import dev.cloister.engine.library.Machine;
import dev.cloister.engine.library.NpmPackage;
import dev.cloister.engine.library.Platform;
import dev.cloister.testkit.FileServer;
import dev.cloister.testkit.TarArchive;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class EngineCommandTest {
  private static final Platform PLATFORM = new Platform("linux", "x64");
  private static final Machine MACHINE =
      new Machine(
          PLATFORM,
          Map.of(
              Backend.CUDA,
              "needs an NVIDIA GPU and its driver",
              Backend.METAL,
              "needs an Apple computer"));

  @TempDir private Path directory;
  private Path cache;
  private FileServer registry;
  private LibraryCatalog catalog;

  @BeforeEach
  void start() throws Exception {
    cache = directory.resolve("lib");
    registry = FileServer.start();
    catalog = new LibraryCatalog(List.of(served(Backend.CPU), served(Backend.CUDA)));
  }

  @AfterEach
  void stop() {
    registry.close();
  }

  @Test
  void a_machine_starts_with_what_comes_with_cloister() throws Exception {
    assertThat(list().out().lines())
        .anySatisfy(line -> assertThat(line).contains("b4916", "used: no other is installed"))
        .anySatisfy(line -> assertThat(line).contains("0.5.0", "cpu", "not installed"))
        .anySatisfy(
            line -> assertThat(line).contains("cuda", "not installed; needs an NVIDIA GPU"));
  }

  @Test
  void what_is_installed_is_listed_and_used() throws Exception {
    Cli.Result installed = install("llama.cpp");

    assertThat(installed.exitCode()).isZero();
    assertThat(installed.out())
        .startsWith("llama.cpp 0.5.0 cpu installed: " + cache.toAbsolutePath());
    assertThat(installed.err()).contains("100 %");
    assertThat(list().out().lines())
        .anySatisfy(
            line ->
                assertThat(line).contains("0.5.0", "installed, used: no installed one uses a GPU"));
  }

  @Test
  void installing_again_says_so_and_is_no_failure() throws Exception {
    install("llama.cpp");

    Cli.Result again = install("llama.cpp", "--backend", "cpu");

    assertThat(again.exitCode()).isZero();
    assertThat(again.out()).contains("is already installed");
  }

  @Test
  void a_backend_this_machine_cannot_run_is_installed_with_a_word_about_that() throws Exception {
    Cli.Result installed = install("llama.cpp", "--backend", "cuda");

    assertThat(installed.exitCode()).isZero();
    assertThat(installed.err())
        .contains("it is not used yet: cuda needs an NVIDIA GPU and its driver");
    assertThat(list().out()).contains("used: none of the installed ones runs on this machine");
  }

  @Test
  void programs_read_json() throws Exception {
    JsonNode installed = new ObjectMapper().readTree(install("llama.cpp", "--json").out());
    assertThat(installed.path("backend").asText()).isEqualTo("cpu");
    assertThat(installed.path("fresh").asBoolean()).isTrue();
    assertThat(Path.of(installed.path("path").asText())).isDirectory();

    JsonNode rows = new ObjectMapper().readTree(list("--json").out());
    assertThat(rows).hasSize(3);
    assertThat(rows.get(1).path("state").asText()).isEqualTo("installed");
    assertThat(rows.get(1).path("used").asBoolean()).isTrue();
  }

  @Test
  void a_changed_file_is_found_when_asked_and_repaired_by_installing() throws Exception {
    install("llama.cpp");
    Files.writeString(cache.resolve("llama.cpp-0.5.0-linux-x64-cpu/libllama.v0.5.0.so"), "LLAMA");
    assertThat(list().exitCode()).isZero();

    Cli.Result verified = list("--verify");
    assertThat(verified.exitCode()).isEqualTo(ExitCode.GENERAL);
    assertThat(verified.out())
        .contains("damaged", "libllama.v0.5.0.so has other content than was installed");

    assertThat(install("llama.cpp").out()).contains("cpu installed");
    assertThat(list("--verify").exitCode()).isZero();
  }

  @Test
  void what_cannot_be_installed_ends_with_its_exit_code_and_one_sentence() throws Exception {
    assertFails(ExitCode.USAGE, "library: x (expected: llama.cpp)", install("x"));
    assertFails(
        ExitCode.NOT_FOUND,
        "there is no llama.cpp for metal on linux-x64 to install (there is: cpu, cuda); models run"
            + " on the library that comes with Cloister",
        install("llama.cpp", "--backend", "metal"));
    registry.fail("/@test/cpu/-/cpu-1.tgz", 503);
    assertFails(
        ExitCode.UNREACHABLE,
        registry.address() + "/@test/cpu/-/cpu-1.tgz answered with status 503 (expected: 200)",
        install("llama.cpp"));
    registry.fail("/@test/cpu/-/cpu-1.tgz", 404);
    assertThat(install("llama.cpp").exitCode()).isEqualTo(ExitCode.NOT_FOUND);
  }

  private static void assertFails(int exitCode, String sentence, Cli.Result result) {
    assertThat(result.exitCode()).isEqualTo(exitCode);
    assertThat(result.err().strip()).isEqualTo("cloister: " + sentence);
    assertThat(result.out()).isEmpty();
  }

  private Cli.Result install(String... arguments) {
    return run(
        new EngineCommand.Install(catalog, MACHINE),
        arguments,
        "--registry",
        registry.address().toString(),
        "--library-cache",
        cache.toString());
  }

  private Cli.Result list(String... arguments) {
    return run(
        new EngineCommand.ListLibraries(catalog, MACHINE),
        arguments,
        "--library-cache",
        cache.toString());
  }

  private static Cli.Result run(Object command, String[] arguments, String... more) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of(more));
    int exitCode =
        new CommandLine(command)
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true))
            .setExecutionExceptionHandler(new Failures())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .execute(all.toArray(String[]::new));
    return new Cli.Result(exitCode, out.toString(), err.toString());
  }

  private LibraryBuild served(Backend backend) throws Exception {
    byte[] packed =
        new TarArchive()
            .file("package/LICENSE", "MIT".getBytes(StandardCharsets.UTF_8))
            .file(
                "package/bins/" + backend.id() + "/libllama.v0.5.0.so",
                "llama".getBytes(StandardCharsets.UTF_8))
            .packed();
    NpmPackage pin =
        new NpmPackage(
            "@test/" + backend.id(),
            "1",
            backend.id(),
            "sha512-"
                + Base64.getEncoder()
                    .encodeToString(MessageDigest.getInstance("SHA-512").digest(packed)),
            packed.length,
            1_000);
    registry.serve("/@test/%s/-/%s-1.tgz".formatted(backend.id(), backend.id()), packed);
    return new LibraryBuild("0.5.0", PLATFORM, backend, List.of(pin));
  }
}
