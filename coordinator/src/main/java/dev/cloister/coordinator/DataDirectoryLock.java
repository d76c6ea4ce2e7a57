package dev.cloister.coordinator;

import dev.cloister.identity.PrivateFiles;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** Keeps a second coordinator out of a data directory; the system releases it with the process. */
final class DataDirectoryLock implements AutoCloseable {
  private final FileChannel channel;

  private DataDirectoryLock(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * @throws CoordinatorStartException if another coordinator has it
   */
  static DataDirectoryLock take(Path directory) {
    PrivateFiles.createDirectory(directory);
    try {
      FileChannel channel =
          FileChannel.open(
              directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (tryLock(channel) == null) {
        channel.close();
        throw new CoordinatorStartException(
            "the data directory "
                + directory
                + " is used by another coordinator; stop it, or choose another with --data",
            null);
      }
      return new DataDirectoryLock(channel);
    } catch (IOException e) {
      throw new CoordinatorStartException(
          "the data directory " + directory + " cannot be used: " + e.getMessage(), e);
    }
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null;
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // The lock goes with the process at the latest.
    }
  }
}
