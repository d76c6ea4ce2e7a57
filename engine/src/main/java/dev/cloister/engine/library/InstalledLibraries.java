package dev.cloister.engine.library;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The builds of llama.cpp in a library cache, as they were when it was looked at.
 *
 * <p>Whoever can write into the cache runs code as the user who starts engines. What guards it is
 * therefore its mode, which is checked here each time: nobody but this user and root may own or
 * write the cache and its folders. Digests would not help against somebody who can also write the
 * manifest, and reading half a gigabyte would delay every start of an engine, so that only the
 * files' sizes are compared: that finds an interrupted copy or a full disk. {@link
 * InstalledLibrary#verify} finds the rest, when asked.
 *
 * @param damaged folders that look like a library and are not used
 */
public record InstalledLibraries(List<InstalledLibrary> usable, List<Damaged> damaged) {
  /** The library that comes with Cloister, as engines name it. */
  public static final String BUNDLED = "llama.cpp b4916";

  static final String PREFIX = "llama.cpp-";

  private static final Set<PosixFilePermission> WRITE_BY_OTHERS =
      Set.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);

  /**
   * @param reason why it is not used, as one sentence
   */
  public record Damaged(Path folder, String reason) {}

  public InstalledLibraries {
    usable = List.copyOf(usable);
    damaged = List.copyOf(damaged);
  }

  /**
   * Looks into a cache; one that does not exist is empty.
   *
   * @throws UncheckedIOException if it cannot be read
   */
  public static InstalledLibraries in(Path cache) {
    List<InstalledLibrary> usable = new ArrayList<>();
    List<Damaged> damaged = new ArrayList<>();
    if (Files.isDirectory(cache)) {
      try (DirectoryStream<Path> folders = Files.newDirectoryStream(cache, PREFIX + "*")) {
        for (Path folder : folders) {
          try {
            requirePrivate(cache);
            requirePrivate(folder);
            usable.add(InstalledLibrary.in(folder));
          } catch (IOException e) {
            damaged.add(new Damaged(folder, String.valueOf(e.getMessage())));
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException("library cache cannot be read: " + cache, e);
      }
    }
    usable.sort(Comparator.comparing(InstalledLibrary::folder));
    damaged.sort(Comparator.comparing(Damaged::folder));
    return new InstalledLibraries(usable, damaged);
  }

  /**
   * The one to run on a machine: on its GPU if one is installed that fits, else on its CPUs. Empty
   * where none fits; the library that comes with Cloister is used then.
   */
  public Optional<InstalledLibrary> best(Machine machine) {
    return usable.stream()
        .filter(library -> library.platform().equals(machine.platform()))
        .filter(library -> machine.fits(library.backend()))
        .min(Comparator.comparing(InstalledLibrary::backend));
  }

  public Optional<InstalledLibrary> find(LibraryBuild build) {
    return usable.stream()
        .filter(library -> library.folder().endsWith(build.folderName()))
        .findFirst();
  }

  /**
   * @throws IOException with one sentence if others than this user and root own or may write it
   */
  static void requirePrivate(Path path) throws IOException {
    if (!isPosix(path)) {
      return;
    }
    for (PosixFilePermission permission : Files.getPosixFilePermissions(path)) {
      if (WRITE_BY_OTHERS.contains(permission)) {
        throw new IOException(
            "%s can be written by others; close it with: chmod go-w %s".formatted(path, path));
      }
    }
    requireOwn(path);
  }

  /** Takes from others the right to write a folder of this user. */
  static void closeToOthers(Path folder) throws IOException {
    if (isPosix(folder)) {
      requireOwn(folder);
      Set<PosixFilePermission> mode = EnumSet.copyOf(Files.getPosixFilePermissions(folder));
      if (mode.removeAll(WRITE_BY_OTHERS)) {
        Files.setPosixFilePermissions(folder, mode);
      }
    }
  }

  private static void requireOwn(Path path) throws IOException {
    Path self = Path.of("/proc/self");
    Object owner = Files.getAttribute(path, "unix:uid");
    if (Files.exists(self)
        && !owner.equals(0)
        && !owner.equals(Files.getAttribute(self, "unix:uid"))) {
      throw new IOException(
          "%s belongs to another user (uid %s); run this as that user".formatted(path, owner));
    }
  }

  private static boolean isPosix(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("posix");
  }
}
