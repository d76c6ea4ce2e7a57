package dev.cloister.engine.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.testkit.TarArchive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.ZipException;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackageArchiveTest {
  private static final String FOLDER = "package/bins/linux-x64/";

  @TempDir private Path directory;
  private Path folder;

  @BeforeEach
  void makeFolder() throws IOException {
    folder = Files.createDirectory(directory.resolve("into"));
  }

  @Test
  void shared_libraries_of_every_platform_and_the_license_are_unpacked() throws Exception {
    List<String> wanted =
        List.of(
            "libllama.v0.5.0.so",
            "libllama.metal.v0.5.0.dylib",
            "llama.v0.5.0.dll",
            "libggml-cpu-armv8.2_1.so",
            "ggml-base.dll",
            "fallback/libggml-cuda.so");
    TarArchive archive = new TarArchive().file("package/LICENSE", TestPackage.bytes("MIT"));
    for (String name : wanted) {
      archive.file(FOLDER + name, TestPackage.bytes(name));
    }
    unpack(archive.packed());

    for (String name : wanted) {
      assertThat(folder.resolve(name)).hasContent(name);
    }
    assertThat(folder.resolve("LICENSE.linux-x64")).hasContent("MIT");
  }

  @Test
  void all_else_stays_out() throws Exception {
    TarArchive archive = new TarArchive();
    for (String name :
        List.of(
            "package/package.json",
            "package/dist/index.js",
            FOLDER + "llama-addon.node",
            FOLDER + "llama-addon.lib",
            FOLDER + "libllama-common.so",
            FOLDER + "_nlcBuildMetadata.json",
            FOLDER + "deeper/libggml-x.so",
            FOLDER + "libggml x.so",
            FOLDER + "libevil.so",
            "package/bins/linux-x64-cuda/libggml-cuda.so",
            "libggml-cuda.so")) {
      archive.file(name, TestPackage.bytes(name));
    }
    unpack(archive.packed());

    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void paths_that_lead_outside_are_refused() {
    for (String name :
        List.of(
            "../libggml.so",
            "package/../../libggml.so",
            FOLDER + "../libggml.so",
            FOLDER + "..",
            "/etc/libggml.so",
            FOLDER + "..\\libggml.so")) {
      assertRefused(new TarArchive().file(name, new byte[1]).packed())
          .hasMessage("holds the path " + name + ", which leads outside of it");
    }
  }

  @Test
  void links_are_refused() {
    String name = FOLDER + "libggml.so";
    assertRefused(new TarArchive().symbolicLink(name, "/etc/passwd").packed())
        .hasMessage("holds " + name + ", which is no plain file (type 2)");
    assertRefused(new TarArchive().hardLink(name, "/etc/passwd").packed())
        .hasMessageContaining("type 1");
  }

  @Test
  void a_file_twice_is_refused() {
    byte[] content = new byte[10];
    assertRefused(
            new TarArchive()
                .file(FOLDER + "libggml.so", content)
                .file(FOLDER + "libggml.so", content)
                .packed())
        .hasMessage("holds libggml.so twice");
  }

  @Test
  void more_bytes_than_pinned_are_refused_before_they_are_unpacked() {
    assertRefused(
            new TarArchive().liar(FOLDER + "libggml.so", 8_589_934_591L, new byte[10]).packed())
        .hasMessage("holds more than the pinned 1048576 bytes");
    assertRefused(
            new TarArchive()
                .file("package/README.md", new byte[600_000])
                .file(FOLDER + "libggml.so", new byte[600_000])
                .packed())
        .hasMessage("holds more than the pinned 1048576 bytes");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void an_archive_cut_anywhere_is_refused() {
    byte[] whole = TestPackage.usual(Backend.CPU).packed();
    // The last bytes hold the empty blocks and gzip's own checksum, which nothing depends on.
    for (int length = 0; length < whole.length - 40; length += 7) {
      assertRefused(Arrays.copyOf(whole, length));
    }
    assertRefused(new TarArchive().liar(FOLDER + "libggml.so", 5_000, new byte[10]).packed())
        .hasMessage("ends in the middle");
  }

  @Test
  void a_mutated_archive_is_unpacked_within_the_folder_or_refused() throws Exception {
    byte[] whole = TestPackage.usual(Backend.CPU).packed();
    long seed = 42;
    Random random = new Random(seed);
    for (int i = 0; i < 500; i++) {
      byte[] mutated = whole.clone();
      mutated[random.nextInt(mutated.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        unpack(mutated);
      } catch (ZipException e) {
        assertThat(e).as("seed %d, mutation %d", seed, i).hasMessageNotContaining("null");
      }
      try (Stream<Path> files = Files.list(directory)) {
        assertThat(files.toList()).hasSize(2);
      }
      clear();
    }
  }

  private AbstractThrowableAssert<?, ? extends Throwable> assertRefused(byte[] packed) {
    AbstractThrowableAssert<?, ? extends Throwable> failure =
        assertThatThrownBy(() -> unpack(packed)).isInstanceOf(ZipException.class);
    clear();
    return failure;
  }

  private void unpack(byte[] packed) throws IOException {
    Path file = directory.resolve("packed.tgz");
    Files.write(file, packed);
    PackageArchive.unpack(file, TestPackage.of("linux-x64", packed).pin(), folder);
  }

  private void clear() {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
