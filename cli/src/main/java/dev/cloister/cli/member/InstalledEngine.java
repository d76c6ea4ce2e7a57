package dev.cloister.cli.member;

import dev.cloister.agent.fingerprint.Engines;
import dev.cloister.engine.library.Backend;
import dev.cloister.engine.library.InstalledLibraries;
import dev.cloister.engine.library.Machine;
import java.nio.file.Path;

/** The native library that engines on this machine will choose. */
public final class InstalledEngine {
  /** What comes with Cloister writes the matrix of attention to memory; all others need not. */
  private static final Engines BUNDLED = new Engines(InstalledLibraries.BUNDLED, false, false);

  private InstalledEngine() {}

  /** What engines run with that find their library in this cache. */
  public static Engines in(Path libraryCache) {
    return InstalledLibraries.in(libraryCache)
        .best(Machine.current())
        .map(best -> new Engines(best.title(), true, best.backend() != Backend.CPU))
        .orElse(BUNDLED);
  }
}
