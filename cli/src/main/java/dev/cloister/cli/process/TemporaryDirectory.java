package dev.cloister.cli.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Removes what a command needed only while it ran. */
public final class TemporaryDirectory {
  private TemporaryDirectory() {}

  public static void remove(Path directory) {
    try (Stream<Path> walk = Files.walk(directory)) {
      List<Path> deepestFirst = walk.sorted(Comparator.reverseOrder()).toList();
      for (Path file : deepestFirst) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      System.err.println("cloister: " + directory + " could not be removed: " + e.getMessage());
    }
  }
}
