package dev.cloister.cli;

import dev.cloister.engine.library.InstalledLibraries;
import dev.cloister.engine.library.Machine;
import java.nio.file.Path;

/** The native library that engines on this machine will choose. */
final class InstalledEngine {
  private InstalledEngine() {}

  /**
   * Whether it does attention piece by piece unless told otherwise: what can be installed does,
   * what comes with Cloister does not.
   */
  static boolean doesFlashAttention(Path libraryCache) {
    return InstalledLibraries.in(libraryCache).best(Machine.current()).isPresent();
  }
}
