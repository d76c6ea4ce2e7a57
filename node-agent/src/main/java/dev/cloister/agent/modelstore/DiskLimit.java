package dev.cloister.agent.modelstore;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** The disk that models' files may take on this machine, all together. Thread-safe. */
public final class DiskLimit {
  /** As much as there is. */
  public static final DiskLimit NONE = new DiskLimit(OptionalLong::empty, List.of());

  private final Supplier<OptionalLong> limit;
  private final List<Path> directories;

  /**
   * @param limit in bytes, which may change
   * @param directories whose files count; they need not exist yet
   */
  public DiskLimit(Supplier<OptionalLong> limit, List<Path> directories) {
    this.limit = limit;
    this.directories = List.copyOf(directories);
  }

  /** What of the volume of a directory is free for models, what is to be left free included. */
  ModelStore.FreeSpace space(Path directory) {
    return () -> {
      long free = Files.getFileStore(directory).getUsableSpace();
      OptionalLong bytes = limit.get();
      return bytes.isEmpty()
          ? free
          : Math.min(
              free, ModelStore.RESERVED_BYTES + Math.max(0, bytes.getAsLong() - takenBytes()));
    };
  }

  private long takenBytes() throws IOException {
    long taken = 0;
    for (Path directory : directories) {
      if (Files.isDirectory(directory)) {
        try (Stream<Path> files = Files.walk(directory)) {
          taken += files.filter(Files::isRegularFile).mapToLong(DiskLimit::size).sum();
        } catch (UncheckedIOException e) {
          throw new IOException(e.getCause());
        }
      }
    }
    return taken;
  }

  /** 0 for one that was removed just now. */
  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (NoSuchFileException e) {
      return 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
