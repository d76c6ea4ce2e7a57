package dev.cloister.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The folders of kept prefixes of one model: one for each native library and KV type. */
final class PrefixFolders {
  private PrefixFolders() {}

  /**
   * Removes the folders that no engine of today reads: what another library or KV type left would
   * stay for ever, and count towards no limit.
   *
   * @param all holds the folders and nothing else; may be missing
   * @param kept the one to keep; may be missing
   */
  static void removeOthers(Path all, Path kept) throws IOException {
    if (!Files.isDirectory(all)) {
      return;
    }
    List<Path> others;
    try (Stream<Path> folders = Files.list(all)) {
      others = folders.filter(folder -> !folder.equals(kept)).toList();
    }
    for (Path other : others) {
      remove(other);
    }
  }

  private static void remove(Path tree) throws IOException {
    List<Path> deepestFirst;
    try (Stream<Path> walk = Files.walk(tree)) {
      deepestFirst = walk.sorted(Comparator.reverseOrder()).toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    for (Path path : deepestFirst) {
      Files.delete(path);
    }
  }
}
