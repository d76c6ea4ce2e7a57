package dev.cloister.engine;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

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
    Files.walkFileTree(
        tree,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
