package dev.cloister.cli.argument;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --library-cache}, on what runs engines and what installs for them. */
public final class LibraryCacheOptions {
  @Option(
      names = "--library-cache",
      paramLabel = "DIR",
      description = {
        "Where native libraries lie (default: CLOISTER_LIBRARY_CACHE, else",
        "~/.cloister/lib)."
      })
  private @Nullable Path directory;

  public Path directory() {
    return directory == null ? Directories.libraryCache() : directory.toAbsolutePath();
  }
}
