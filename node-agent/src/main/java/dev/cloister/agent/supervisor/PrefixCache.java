package dev.cloister.agent.supervisor;

import dev.cloister.identity.PrivateFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where engines keep prefixes that outlive them: a folder for each model file, named after its
 * SHA-256, which only this user can enter. What lies there is what was asked.
 *
 * <p>Thread-safe. A folder is lent to one engine at a time; a second engine of the same file does
 * without.
 */
public final class PrefixCache {
  private static final Logger log = LoggerFactory.getLogger(PrefixCache.class);

  private final Path directory;
  private final long bytesPerModel;
  private final Predicate<String> modelIsHere;
  private final Set<String> lent = new HashSet<>();

  /**
   * @param bytesPerModel 0 keeps nothing, and removes what was kept
   * @param modelIsHere whether the file of a SHA-256 is on this machine
   */
  public PrefixCache(Path directory, long bytesPerModel, Predicate<String> modelIsHere) {
    this.directory = directory;
    this.bytesPerModel = bytesPerModel;
    this.modelIsHere = modelIsHere;
  }

  /** What an engine may use until this is closed. */
  record Loan(Path folder, long bytes, Runnable end) implements AutoCloseable {
    List<String> flags() {
      return List.of("--prefixes", folder.toString(), "--prefix-bytes", String.valueOf(bytes));
    }

    @Override
    public void close() {
      end.run();
    }
  }

  /**
   * Lends the folder of a model, and removes those whose model's file is gone. Empty if nothing is
   * to be kept, the folder is lent, or it cannot be had, which is logged: an engine answers without
   * it.
   */
  synchronized Optional<Loan> lend(String sha256) {
    removeOrphans();
    if (bytesPerModel == 0 || !lent.add(sha256)) {
      return Optional.empty();
    }
    try {
      PrivateFiles.createDirectory(directory);
      Path folder = directory.resolve(sha256);
      PrivateFiles.createDirectory(folder);
      return Optional.of(new Loan(folder, bytesPerModel, () -> giveBack(sha256)));
    } catch (RuntimeException e) {
      lent.remove(sha256);
      log.warn("prefixes are not kept: {}", e.getMessage());
      return Optional.empty();
    }
  }

  private synchronized void giveBack(String sha256) {
    lent.remove(sha256);
  }

  /** Removes what was kept for models whose file is gone; all, if nothing is to be kept. */
  public synchronized void removeOrphans() {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try {
      for (Path folder : children()) {
        String sha256 = folder.getFileName().toString();
        if (!lent.contains(sha256) && (bytesPerModel == 0 || !modelIsHere.test(sha256))) {
          remove(folder);
        }
      }
    } catch (IOException | UncheckedIOException e) {
      log.warn("kept prefixes of models that are gone cannot be removed: {}", e.toString());
    }
  }

  private List<Path> children() throws IOException {
    try (Stream<Path> children = Files.list(directory)) {
      return children.toList();
    }
  }

  private static void remove(Path tree) throws IOException {
    List<Path> deepestFirst;
    try (Stream<Path> walk = Files.walk(tree)) {
      deepestFirst = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : deepestFirst) {
      Files.delete(path);
    }
  }
}
