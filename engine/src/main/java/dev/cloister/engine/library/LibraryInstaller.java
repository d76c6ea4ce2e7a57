package dev.cloister.engine.library;

import dev.cloister.engine.library.LibraryInstallException.Reason;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/**
 * Fetches a build of llama.cpp from an npm registry into a library cache.
 *
 * <p>A library appears in the cache whole or not at all: it is fetched, checked and unpacked in a
 * folder of its own, which is then moved into place in one step. Of two installers on one cache,
 * also in different processes, the second waits for the first and takes what that one installed. A
 * kill can leave the unfinished folder; the next install removes it.
 *
 * <p>Thread-safe; one install runs at a time.
 */
public final class LibraryInstaller implements AutoCloseable {

  /** Where npm packages are published. */
  public static final URI PUBLIC_REGISTRY = URI.create("https://registry.npmjs.org");

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(15);
  private static final Duration READ_TIMEOUT = Duration.ofSeconds(30);

  /** Locks on files hold between processes; within one they must not overlap. */
  private static final ReentrantLock THIS_PROCESS = new ReentrantLock();

  private final Path cache;
  private final PackageDownload download;
  private final ReentrantLock working = new ReentrantLock();

  /** Told how an install gets on, by one thread after the other. */
  public interface Progress {
    /** Another process installs into the same cache. */
    void waiting();

    /** Called after each piece; {@code total} is the same in each call. */
    void received(long bytes, long total);

    /** All is downloaded and checked. */
    void unpacking();
  }

  /**
   * @param fresh false if it was there already
   */
  public record Outcome(InstalledLibrary library, boolean fresh) {}

  /**
   * @param registry an http or https address; with http others can see what is fetched, not change
   *     it
   * @param cache made if missing, for this user alone; else others lose the right to write it
   */
  public LibraryInstaller(URI registry, Path cache) {
    this(registry, cache, CONNECT_TIMEOUT, READ_TIMEOUT);
  }

  LibraryInstaller(URI registry, Path cache, Duration connectTimeout, Duration readTimeout) {
    @Nullable String scheme = registry.getScheme();
    if (registry.getHost() == null
        || !("https".equalsIgnoreCase(scheme) || "http".equalsIgnoreCase(scheme))) {
      throw new IllegalArgumentException(
          "registry: %s (expected: an address like %s)".formatted(registry, PUBLIC_REGISTRY));
    }
    this.cache = cache.toAbsolutePath();
    this.download = new PackageDownload(registry, connectTimeout, readTimeout);
  }

  /** Installs a build unless it is there, each file with its digest. Blocks. */
  public Outcome install(LibraryBuild build, Progress progress) throws LibraryInstallException {
    try {
      THIS_PROCESS.lockInterruptibly();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw interrupted(e);
    }
    try {
      makeCache();
      try (FileChannel channel = lockFile();
          FileLock _ = lock(channel, progress)) {
        return installLocked(build, progress);
      }
    } catch (ClosedChannelException e) {
      throw interrupted(e);
    } catch (IOException e) {
      throw new LibraryInstallException(
          Reason.CACHE,
          "%s cannot be installed into %s: %s".formatted(name(build), cache, reason(e)),
          e);
    } finally {
      THIS_PROCESS.unlock();
    }
  }

  /** Ends an install that is under way and waits, for a while, until it has cleaned up. */
  @Override
  public void close() {
    download.close();
    try {
      if (working.tryLock(5, TimeUnit.SECONDS)) {
        working.unlock();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Outcome installLocked(LibraryBuild build, Progress progress)
      throws LibraryInstallException, IOException {
    Optional<InstalledLibrary> present = InstalledLibraries.in(cache).find(build);
    if (present.isPresent() && present.get().verify().isEmpty()) {
      return new Outcome(present.get(), false);
    }
    Path unfinished = cache.resolve(".installing");
    working.lock();
    try {
      // Whoever made it is dead: we hold the lock.
      remove(unfinished);
      Path folder = unfinished.resolve("library");
      makePrivate(unfinished);
      makePrivate(folder);
      fill(folder, build, progress);
      Path target = cache.resolve(build.folderName());
      if (Files.exists(target)) {
        Files.move(target, unfinished.resolve("damaged"), StandardCopyOption.ATOMIC_MOVE);
      }
      Files.move(folder, target, StandardCopyOption.ATOMIC_MOVE);
      return new Outcome(InstalledLibrary.in(target), true);
    } finally {
      remove(unfinished);
      working.unlock();
    }
  }

  private void fill(Path folder, LibraryBuild build, Progress progress)
      throws LibraryInstallException, IOException {
    List<NpmPackage> packages = build.packages();
    long before = 0;
    for (NpmPackage wanted : packages) {
      long start = before;
      download.fetch(
          wanted,
          packed(folder, wanted),
          received -> progress.received(start + received, build.packedBytes()));
      before += wanted.packedBytes();
    }
    progress.unpacking();
    for (NpmPackage wanted : packages) {
      Path packed = packed(folder, wanted);
      try {
        PackageArchive.unpack(packed, wanted, folder);
      } catch (ZipException e) {
        throw new LibraryInstallException(
            Reason.REFUSED,
            "the archive of %s %s %s; nothing was installed"
                .formatted(wanted.name(), wanted.version(), e.getMessage()),
            e);
      }
      Files.delete(packed);
    }
    LibraryManifest.describe(build, folder).write(folder);
    try {
      var _ = InstalledLibrary.in(folder);
    } catch (IOException e) {
      throw new LibraryInstallException(
          Reason.REFUSED,
          "%s is not complete: %s; nothing was installed".formatted(name(build), e.getMessage()),
          e);
    }
  }

  private static Path packed(Path folder, NpmPackage wanted) {
    return folder.resolveSibling(wanted.shortName() + ".tgz");
  }

  /** One that was made with a generous umask is closed to others; one of another user refused. */
  private void makeCache() throws IOException {
    if (!Files.isDirectory(cache)) {
      Files.createDirectories(cache.getParent());
      makePrivate(cache);
    }
    InstalledLibraries.closeToOthers(cache);
  }

  private FileChannel lockFile() throws IOException {
    return FileChannel.open(
        cache.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  private static FileLock lock(FileChannel channel, Progress progress) throws IOException {
    FileLock lock = channel.tryLock();
    if (lock != null) {
      return lock;
    }
    progress.waiting();
    return channel.lock();
  }

  private static void makePrivate(Path folder) throws IOException {
    FileAttribute<?>[] mode =
        folder.getFileSystem().supportedFileAttributeViews().contains("posix")
            ? new FileAttribute<?>[] {
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
            }
            : new FileAttribute<?>[0];
    Files.createDirectory(folder, mode);
  }

  private static void remove(Path folder) throws IOException {
    if (Files.exists(folder)) {
      List<Path> deepestFirst;
      try (Stream<Path> walk = Files.walk(folder)) {
        deepestFirst = walk.sorted(Comparator.reverseOrder()).toList();
      }
      for (Path path : deepestFirst) {
        Files.delete(path);
      }
    }
  }

  private static String name(LibraryBuild build) {
    return "llama.cpp " + build.version() + " for " + build.backend().id();
  }

  private static String reason(IOException e) {
    return switch (e) {
      case NoSuchFileException missing -> missing.getFile() + " is missing";
      case FileAlreadyExistsException present -> present.getFile() + " is in the way";
      case AccessDeniedException denied -> "this user may not write " + denied.getFile();
      case FileSystemException failure when failure.getReason() != null -> failure.getReason();

      default -> String.valueOf(e.getMessage());
    };
  }

  private static LibraryInstallException interrupted(Exception cause) {
    return new LibraryInstallException(Reason.INTERRUPTED, "interrupted", cause);
  }
}
