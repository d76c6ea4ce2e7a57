package dev.cloister.engine;

import dev.cloister.engine.library.InstalledLibrary;
import dev.cloister.engine.library.TestLibraryCache;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The native libraries that engine processes are tested on. */
enum EngineLibrary {
  B4916("llama.cpp b4916"),
  V0_5_0("llama.cpp v0.5.0");

  /** As an engine names it. */
  final String title;

  EngineLibrary(String title) {
    this.title = title;
  }

  static List<EngineLibrary> available() {
    return Arrays.stream(values()).filter(library -> library.cache().isPresent()).toList();
  }

  /** The library cache in which it is the best one. */
  Optional<Path> cache() {
    return switch (this) {
      case B4916 -> Optional.of(Path.of("target", "library-cache").toAbsolutePath());
      case V0_5_0 -> TestLibraryCache.library().map(InstalledLibrary::folder).map(Path::getParent);
    };
  }
}
