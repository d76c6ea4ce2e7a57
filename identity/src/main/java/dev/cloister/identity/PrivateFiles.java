package dev.cloister.identity;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.AclEntry;
import java.nio.file.attribute.AclEntryPermission;
import java.nio.file.attribute.AclEntryType;
import java.nio.file.attribute.AclFileAttributeView;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * Files that only their owner may read: mode 0600, in a directory of mode 0700.
 *
 * <p>A write replaces the file in one step: whoever reads it, even after a power cut, finds the old
 * content or the new, never a part. Two writers at once are safe in that sense; the later wins. A
 * kill can leave a temporary file beside it, as private as the file, which nothing reads.
 *
 * <p>Where the file system knows no POSIX modes (Windows), modes are not checked, and what is
 * created gets an access list with the owner as its only entry, if the file system lets us.
 *
 * <p>All methods throw {@link UncheckedIOException} when the file system fails.
 */
public final class PrivateFiles {
  private static final Set<PosixFilePermission> FILE = PosixFilePermissions.fromString("rw-------");
  private static final Set<PosixFilePermission> DIRECTORY =
      PosixFilePermissions.fromString("rwx------");

  private PrivateFiles() {}

  /**
   * Makes the directory if it is missing, its parents with the usual mode.
   *
   * @throws PrivateFileException if it exists and others have any access to it
   */
  public static void createDirectory(Path directory) {
    try {
      if (!Files.isDirectory(directory)) {
        Path parent = directory.toAbsolutePath().getParent();
        if (parent != null) {
          Files.createDirectories(parent);
        }
        if (isPosix(directory)) {
          Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(DIRECTORY));
        } else {
          restrictAccessList(Files.createDirectory(directory));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("directory cannot be made: " + directory, e);
    }
    requirePrivate(directory);
  }

  /**
   * Checks an existing file or directory.
   *
   * @throws PrivateFileException if anybody but the owner has any access to it
   */
  public static void requirePrivate(Path path) {
    if (!isPosix(path)) {
      return;
    }
    try {
      Set<PosixFilePermission> found = Files.getPosixFilePermissions(path);
      if (!DIRECTORY.containsAll(found)) {
        String expected = Files.isDirectory(path) ? "700" : "600";
        throw new PrivateFileException(
            path
                + " is open to others (mode 0"
                + octal(found)
                + ", expected: 0"
                + expected
                + "); close it with: chmod "
                + expected
                + " "
                + path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("mode cannot be read: " + path, e);
    }
  }

  /**
   * Reads a private file.
   *
   * @throws PrivateFileException if it or its directory is open to others
   */
  public static byte[] read(Path file) {
    requirePrivate(directoryOf(file));
    requirePrivate(file);
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException("file cannot be read: " + file, e);
    }
  }

  /**
   * Writes or replaces a private file, and makes its directory if that is missing. When this
   * returns, the content has reached the disk.
   *
   * @throws PrivateFileException if the directory is open to others
   */
  public static void write(Path file, byte[] content) {
    Path directory = directoryOf(file);
    createDirectory(directory);
    Path temporary = directory.resolve("." + file.getFileName() + "." + UUID.randomUUID() + ".tmp");
    try {
      try {
        writeNew(temporary, content);
        Files.move(temporary, file, ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(temporary);
      }
      flushDirectory(directory);
    } catch (IOException e) {
      throw new UncheckedIOException("file cannot be written: " + file, e);
    }
  }

  private static void writeNew(Path file, byte[] content) throws IOException {
    FileAttribute<?>[] mode =
        isPosix(file)
            ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(FILE)}
            : new FileAttribute<?>[0];
    try (FileChannel channel = FileChannel.open(file, EnumSet.of(CREATE_NEW, WRITE), mode)) {
      if (!isPosix(file)) {
        restrictAccessList(file);
      }
      ByteBuffer bytes = ByteBuffer.wrap(content);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
  }

  /** Without this, a power cut could undo the move though the file's content was flushed. */
  private static void flushDirectory(Path directory) throws IOException {
    if (isPosix(directory)) {
      try (FileChannel channel = FileChannel.open(directory, READ)) {
        channel.force(true);
      }
    }
  }

  private static void restrictAccessList(Path path) throws IOException {
    AclFileAttributeView view = Files.getFileAttributeView(path, AclFileAttributeView.class);
    if (view != null) {
      view.setAcl(
          List.of(
              AclEntry.newBuilder()
                  .setType(AclEntryType.ALLOW)
                  .setPrincipal(view.getOwner())
                  .setPermissions(EnumSet.allOf(AclEntryPermission.class))
                  .build()));
    }
  }

  private static Path directoryOf(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    if (parent == null) {
      throw new IllegalArgumentException("not the path of a file: " + file);
    }
    return parent;
  }

  private static boolean isPosix(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("posix");
  }

  private static String octal(Set<PosixFilePermission> permissions) {
    int mode = 0;
    for (PosixFilePermission permission : PosixFilePermission.values()) {
      mode = mode << 1 | (permissions.contains(permission) ? 1 : 0);
    }
    return "%03o".formatted(mode);
  }
}
