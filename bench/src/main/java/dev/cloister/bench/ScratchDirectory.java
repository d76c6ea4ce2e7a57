package dev.cloister.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A temporary directory that is removed, with all that is in it, when it is closed. */
public final class ScratchDirectory implements AutoCloseable {
  private final Path path;

  /**
   * @throws IOException if it cannot be made
   */
  public ScratchDirectory() throws IOException {
    this.path = Files.createTempDirectory("cloister-bench-");
  }

  /** Where it is. */
  public Path path() {
    return path;
  }

  @Override
  public void close() throws IOException {
    try (Stream<Path> walk = Files.walk(path)) {
      List<Path> deepestFirst = walk.sorted(Comparator.reverseOrder()).toList();
      for (Path file : deepestFirst) {
        Files.deleteIfExists(file);
      }
    }
  }
}
