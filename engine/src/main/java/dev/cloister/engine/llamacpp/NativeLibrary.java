package dev.cloister.engine.llamacpp;

import de.kherud.llama.LlamaModel;
import dev.cloister.engine.generation.ModelLoadException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Locale;
import java.util.zip.CRC32;

/**
 * The native library, unpacked once into a cache that all engine processes of a machine share.
 *
 * <p>java-llama.cpp's own loader deletes the files of other processes in the temporary directory;
 * it does not unpack anything where {@code de.kherud.llama.lib.path} names the library's folder.
 */
public final class NativeLibrary {

  private static final String PATH_PROPERTY = "de.kherud.llama.lib.path";

  private NativeLibrary() {}

  /**
   * Unpacks the library where the cache does not hold it, byte for byte, and returns its folder.
   */
  public static Path install(Path cache) throws ModelLoadException {
    String name = System.mapLibraryName("jllama");
    String resource = "/de/kherud/llama/" + platform() + "/" + name;
    try {
      byte[] packed = packed(resource);
      CRC32 checksum = new CRC32();
      checksum.update(packed);
      Path folder = cache.resolve("jllama-%08x".formatted(checksum.getValue())).toAbsolutePath();
      Path library = folder.resolve(name);
      createPrivate(cache);
      createPrivate(folder);
      if (!holds(library, packed)) {
        write(packed, folder, library);
      }
      return folder;
    } catch (IOException e) {
      throw new ModelLoadException(
          "native library cannot be unpacked into %s: %s".formatted(cache, e), e);
    }
  }

  /** Loads the library into this process; must come before any other use of java-llama.cpp. */
  public static void load(Path cache) throws ModelLoadException {
    Path folder = install(cache);
    System.setProperty(PATH_PROPERTY, folder.toString());
    // The loader looks through this directory and deletes what looks like its own: give it ours.
    System.setProperty("de.kherud.llama.tmpdir", folder.resolve("empty").toString());
    try {
      Files.createDirectories(folder.resolve("empty"));
      Class.forName(LlamaModel.class.getName());
    } catch (ClassNotFoundException | IOException | LinkageError e) {
      throw new ModelLoadException(
          "native library %s cannot be loaded: %s".formatted(folder, e.getMessage()), e);
    }
  }

  /** What others could write, an engine would run: the mode is that of nobody but this user. */
  private static void createPrivate(Path folder) throws IOException {
    if (Files.isDirectory(folder)) {
      return;
    }
    Files.createDirectories(folder.toAbsolutePath().getParent());
    boolean posix = folder.getFileSystem().supportedFileAttributeViews().contains("posix");
    FileAttribute<?>[] mode =
        posix
            ? new FileAttribute<?>[] {
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
            }
            : new FileAttribute<?>[0];
    try {
      Files.createDirectory(folder, mode);
    } catch (FileAlreadyExistsException e) {
      // Another engine was quicker.
    }
  }

  private static byte[] packed(String resource) throws IOException, ModelLoadException {
    try (InputStream in = LlamaModel.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new ModelLoadException(
            "there is no native library for this platform (looked for %s)".formatted(resource));
      }
      return in.readAllBytes();
    }
  }

  private static boolean holds(Path library, byte[] packed) throws IOException {
    return Files.isRegularFile(library)
        && Files.size(library) == packed.length
        && Arrays.equals(Files.readAllBytes(library), packed);
  }

  /** Other processes may do the same now: each moves a complete file of its own into place. */
  private static void write(byte[] packed, Path folder, Path library) throws IOException {
    Path mine = Files.createTempFile(folder, "unpacking-", ".tmp");
    try {
      Files.write(mine, packed);
      try {
        Files.move(mine, library, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(mine, library, StandardCopyOption.REPLACE_EXISTING);
      }
    } finally {
      Files.deleteIfExists(mine);
    }
  }

  private static String platform() {
    String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    String machine = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    String folder =
        system.startsWith("windows") ? "Windows" : system.startsWith("mac") ? "Mac" : "Linux";
    return folder + "/" + (machine.equals("amd64") ? "x86_64" : machine);
  }
}
