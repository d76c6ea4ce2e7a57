package dev.cloister.agent.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class PrefixCacheTest {
  private static final String ONE = "1".repeat(64);
  private static final String TWO = "2".repeat(64);

  private final Path directory;
  private final Set<String> models = new HashSet<>(Set.of(ONE, TWO));
  private final PrefixCache cache;

  PrefixCacheTest(@TempDir Path data) {
    directory = data.resolve("prefixes");
    cache = cache(1000);
  }

  private PrefixCache cache(long bytes) {
    return new PrefixCache(directory, bytes, models::contains);
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aFolderIsForOneModelAndOneUser() throws IOException {
    PrefixCache.Loan loan = cache.lend(ONE).orElseThrow();
    assertThat(loan.folder()).isEqualTo(directory.resolve(ONE));
    assertThat(loan.flags())
        .containsExactly("--prefixes", loan.folder().toString(), "--prefix-bytes", "1000");
    for (Path made : new Path[] {directory, loan.folder()}) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made)))
          .isEqualTo("rwx------");
    }
  }

  @Test
  void aSecondEngineOfTheSameFileDoesWithout() {
    PrefixCache.Loan loan = cache.lend(ONE).orElseThrow();
    assertThat(cache.lend(ONE)).isEmpty();
    assertThat(cache.lend(TWO)).isPresent();
    loan.close();
    assertThat(cache.lend(ONE)).isPresent();
  }

  @Test
  void whatWasKeptIsRemovedWithTheModelsFile() throws IOException {
    keep(ONE);
    Path other = keep(TWO);
    models.remove(ONE);
    try (PrefixCache.Loan _ = cache.lend(TWO).orElseThrow()) {
      assertThat(directory).isDirectoryNotContaining(path -> path.endsWith(ONE));
      models.remove(TWO);
      cache.removeOrphans();
      assertThat(other).as("an engine may still write it").exists();
    }
    cache.removeOrphans();
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void withoutAnyBytesNothingIsKeptAndWhatWasIsRemoved() throws IOException {
    keep(ONE);
    PrefixCache off = cache(0);
    off.removeOrphans();
    assertThat(directory).isEmptyDirectory();
    assertThat(off.lend(ONE)).isEmpty();
  }

  @Test
  void aFolderThatCannotBeHadCostsThePrefixesAndNothingElse() throws IOException {
    Files.writeString(directory, "in the way");
    assertThat(cache.lend(ONE)).isEmpty();
    Files.delete(directory);
    assertThat(cache.lend(ONE)).isPresent();
  }

  private Path keep(String sha256) throws IOException {
    try (PrefixCache.Loan loan = cache.lend(sha256).orElseThrow()) {
      Path tenant = Files.createDirectories(loan.folder().resolve("kind").resolve("tenant"));
      return Files.createFile(tenant.resolve("a.kv"));
    }
  }
}
