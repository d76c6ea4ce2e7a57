package dev.cloister.engine.library;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A build of llama.cpp in the library cache, complete and safe from other users.
 *
 * @param version llama.cpp's: {@code 0.5.0}
 * @param folder where all its files lie
 * @param llama the shared library with llama.cpp's C API; it finds the others beside it by itself
 * @param bytes the size of all files
 */
public record InstalledLibrary(
    String version, Platform platform, Backend backend, Path folder, Path llama, long bytes) {

  private static final Pattern LLAMA = Pattern.compile("(lib)?llama\\.[^/]+");

  /**
   * Reads the manifest of a folder and compares the files' sizes.
   *
   * @throws IOException with one sentence if the folder does not hold a complete library
   */
  static InstalledLibrary in(Path folder) throws IOException {
    LibraryManifest manifest = LibraryManifest.read(folder);
    Optional<String> incomplete = manifest.incomplete(folder);
    if (incomplete.isPresent()) {
      throw new IOException(incomplete.get());
    }
    String llama =
        manifest.entries().stream()
            .map(LibraryManifest.Entry::path)
            .filter(path -> LLAMA.matcher(path).matches())
            .findFirst()
            .orElseThrow(() -> new IOException("libllama is missing"));
    return new InstalledLibrary(
        manifest.version(),
        manifest.platform(),
        manifest.backend(),
        folder,
        folder.resolve(llama),
        manifest.entries().stream().mapToLong(LibraryManifest.Entry::size).sum());
  }

  /**
   * Where ggml's backends lie, in the order to try: the second, if there is one, when the first
   * brought no GPU device. The CUDA build has its CUDA 12 library there, as node-llama-cpp does.
   */
  public List<Path> backendFolders() {
    return Stream.of(folder, folder.resolve("fallback")).filter(Files::isDirectory).toList();
  }

  /**
   * Compares each file with its SHA-256 digest, which reads all of them.
   *
   * @return what is wrong, or nothing
   * @throws IOException if a file cannot be read
   */
  public Optional<String> verify() throws IOException {
    return LibraryManifest.read(folder).altered(folder);
  }

  /** As engines name it: {@code llama.cpp v0.5.0}. */
  public String title() {
    return "llama.cpp v" + version;
  }

  /** {@code llama.cpp 0.5.0 cpu}. */
  @Override
  public String toString() {
    return "llama.cpp " + version + " " + backend.id();
  }
}
