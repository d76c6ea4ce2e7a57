package dev.cloister.engine.library;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The llama.cpp v0.5.0 that tests run on beside the library that comes with Cloister. It is
 * installed where the property {@code cloister.test.library-cache} or the variable {@code
 * CLOISTER_TEST_LIBRARY_CACHE} says; without either, its tests are skipped, which is said once.
 */
public final class TestLibraryCache {
  private static final Optional<InstalledLibrary> LIBRARY = find();

  private TestLibraryCache() {}

  public static Optional<InstalledLibrary> library() {
    return LIBRARY;
  }

  private static Optional<InstalledLibrary> find() {
    String cache =
        System.getProperty(
            "cloister.test.library-cache", System.getenv("CLOISTER_TEST_LIBRARY_CACHE"));
    if (cache == null || cache.isEmpty()) {
      System.out.println(
          "tests on llama.cpp v0.5.0 are skipped; install it with: cloister engine install"
              + " llama.cpp --library-cache DIR, and run them with:"
              + " -Dcloister.test.library-cache=DIR");
      return Optional.empty();
    }
    InstalledLibraries installed = InstalledLibraries.in(Path.of(cache).toAbsolutePath());
    if (installed.usable().isEmpty()) {
      throw new IllegalStateException(
          "library cache %s holds no usable llama.cpp: %s".formatted(cache, installed.damaged()));
    }
    return Optional.of(installed.usable().getFirst());
  }
}
