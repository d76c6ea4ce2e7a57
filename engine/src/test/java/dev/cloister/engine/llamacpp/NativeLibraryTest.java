package dev.cloister.engine.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
  @Test
  @DisabledOnOs(OS.WINDOWS)
  void theCacheItMakesIsClosedToOthers(@TempDir Path directory) throws Exception {
    Path cache = directory.resolve("home").resolve("lib");

    Path folder = NativeLibrary.install(cache);

    assertThat(folder.getParent()).isEqualTo(cache.toAbsolutePath());
    for (Path made : new Path[] {cache, folder}) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made)))
          .isEqualTo("rwx------");
    }
    assertThat(NativeLibrary.install(cache)).isEqualTo(folder);
  }
}
