package dev.cloister.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@DisabledOnOs(OS.WINDOWS)
class PrivateFilesTest {
  @TempDir Path parent;

  @Test
  void aWrittenFileIsReadableByItsOwnerOnly() throws IOException {
    Path file = parent.resolve("a/b/secret");

    PrivateFiles.write(file, new byte[] {1, 2});
    PrivateFiles.write(file, new byte[] {3});

    assertThat(PrivateFiles.read(file)).containsExactly(3);
    assertThat(mode(file)).isEqualTo("rw-------");
    assertThat(mode(parent.resolve("a/b"))).isEqualTo("rwx------");
    try (Stream<Path> files = Files.list(parent.resolve("a/b"))) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void aLooserFileStopsWithTheCommandThatClosesIt() throws IOException {
    Path file = parent.resolve("private/secret");
    PrivateFiles.write(file, new byte[1]);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));

    assertThatThrownBy(() -> PrivateFiles.read(file))
        .isInstanceOf(PrivateFileException.class)
        .hasMessage(
            "%s is open to others (mode 0644, expected: 0600); close it with: chmod 600 %s"
                .formatted(file, file));
  }

  @Test
  void aLooserDirectoryStopsReadingAndWriting() throws IOException {
    Path directory = parent.resolve("private");
    Path file = directory.resolve("secret");
    PrivateFiles.write(file, new byte[1]);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));

    String message =
        "%s is open to others (mode 0755, expected: 0700); close it with: chmod 700 %s"
            .formatted(directory, directory);
    assertThatThrownBy(() -> PrivateFiles.read(file)).hasMessage(message);
    assertThatThrownBy(() -> PrivateFiles.write(file, new byte[1])).hasMessage(message);
  }

  @Test
  void aStricterFileIsFine() throws IOException {
    Path file = parent.resolve("private/secret");
    PrivateFiles.write(file, new byte[] {7});
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));

    assertThat(PrivateFiles.read(file)).containsExactly(7);
  }

  @Test
  void aFailedWriteLeavesNoTemporaryFile() throws IOException {
    Path file = parent.resolve("private/secret");
    PrivateFiles.createDirectory(parent.resolve("private"));
    PrivateFiles.write(file.resolve("child"), new byte[1]);

    assertThatThrownBy(() -> PrivateFiles.write(file, new byte[1]))
        .isInstanceOf(UncheckedIOException.class);

    try (Stream<Path> files = Files.list(parent.resolve("private"))) {
      assertThat(files).containsExactly(file);
    }
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }
}
