package dev.cloister.engine.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Base64;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LibraryCatalogTest {
  private static final LibraryCatalog CATALOG = LibraryCatalog.pinned();

  @Test
  void every_pin_is_a_sha512_digest_of_its_own() {
    Set<String> seen = new HashSet<>();
    for (LibraryBuild build : CATALOG.builds()) {
      for (NpmPackage pinned : build.packages()) {
        assertThat(pinned.integrity()).startsWith("sha512-");
        assertThat(Base64.getDecoder().decode(pinned.integrity().substring(7))).hasSize(64);
        assertThat(seen.add(pinned.integrity())).as(pinned.name()).isTrue();
        assertThat(pinned.unpackedBytes()).isGreaterThan(pinned.packedBytes());
      }
    }
  }

  @Test
  void every_platform_has_a_build_for_its_cpus() {
    for (LibraryBuild build : CATALOG.builds()) {
      assertThat(CATALOG.find(build.platform(), Backend.CPU)).isPresent();
    }
  }

  @Test
  void packages_lie_where_registries_keep_them() {
    assertThat(
            CATALOG
                .find(new Platform("linux", "x64"), Backend.CUDA)
                .orElseThrow()
                .packages()
                .stream()
                .map(NpmPackage::path))
        .containsExactly(
            "@node-llama-cpp/linux-x64-cuda/-/linux-x64-cuda-3.22.1.tgz",
            "@node-llama-cpp/linux-x64-cuda-ext/-/linux-x64-cuda-ext-3.22.1.tgz");
  }
}
