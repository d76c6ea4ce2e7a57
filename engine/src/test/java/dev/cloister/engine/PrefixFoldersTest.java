package dev.cloister.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrefixFoldersTest {
  @TempDir private Path all;

  @Test
  void whatAnotherLibraryOrKvTypeLeftIsRemoved() throws IOException {
    Path kept = all.resolve("llama.cpp-v0.5.0-f16");
    Files.createFile(Files.createDirectories(kept.resolve("tenant")).resolve("a.kv"));
    Path other = all.resolve("llama.cpp-b4916-f16");
    Files.createFile(Files.createDirectories(other.resolve("tenant")).resolve("b.kv"));

    PrefixFolders.removeOthers(all, kept);

    assertThat(kept.resolve("tenant").resolve("a.kv")).exists();
    assertThat(other).doesNotExist();
  }

  @Test
  void aFirstEngineFindsNothingToRemove() throws IOException {
    PrefixFolders.removeOthers(all.resolve("missing"), all.resolve("missing").resolve("kind"));
    assertThat(all).isEmptyDirectory();
  }
}
