package dev.cloister.engine.library;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What an installed library consists of, kept in its folder in a file of this form:
 *
 * <pre>
 * cloister-library 1
 * 0.5.0 linux x64 cpu
 * SHA-256 size path
 * ...
 * </pre>
 */
record LibraryManifest(String version, Platform platform, Backend backend, List<Entry> entries) {
  private static final String NAME = "MANIFEST";
  private static final String FIRST_LINE = "cloister-library 1";

  /**
   * @param path below the folder, with slashes
   */
  record Entry(String sha256, long size, String path) {}

  LibraryManifest {
    entries = List.copyOf(entries);
  }

  /** Describes the files that lie in a folder. */
  static LibraryManifest describe(LibraryBuild build, Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(folder)) {
      files = walk.filter(Files::isRegularFile).sorted().toList();
    }
    List<Entry> entries = new ArrayList<>();
    for (Path file : files) {
      entries.add(
          new Entry(
              sha256(file),
              Files.size(file),
              folder.relativize(file).toString().replace('\\', '/')));
    }
    return new LibraryManifest(build.version(), build.platform(), build.backend(), entries);
  }

  /**
   * @throws IOException with one sentence if there is none or it cannot be understood
   */
  static LibraryManifest read(Path folder) throws IOException {
    Path file = folder.resolve(NAME);
    if (!Files.exists(file)) {
      throw new IOException(NAME + " is missing");
    }
    try {
      List<String> lines = Files.readAllLines(file);
      if (!lines.getFirst().equals(FIRST_LINE)) {
        throw new IOException(NAME + " is not one that this version of Cloister knows");
      }
      String[] build = lines.get(1).split(" ", -1);
      return new LibraryManifest(
          build[0],
          new Platform(build[1], build[2]),
          Backend.of(build[3]).orElseThrow(),
          lines.stream().skip(2).map(LibraryManifest::entry).toList());
    } catch (RuntimeException e) {
      throw new IOException(NAME + " cannot be understood", e);
    }
  }

  void write(Path folder) throws IOException {
    List<String> lines = new ArrayList<>();
    lines.add(FIRST_LINE);
    lines.add(String.join(" ", version, platform.system(), platform.processor(), backend.id()));
    entries.forEach(entry -> lines.add(entry.sha256() + " " + entry.size() + " " + entry.path()));
    Files.write(folder.resolve(NAME), lines);
  }

  /** What the first file lacks that is missing or has another size; empty if all is well. */
  Optional<String> incomplete(Path folder) {
    return entries.stream()
        .filter(entry -> sizeOf(folder.resolve(entry.path())) != entry.size())
        .map(entry -> entry.path() + " is missing or has another size")
        .findFirst();
  }

  /** What the first file lacks that is not as it was installed; empty if all is well. */
  Optional<String> altered(Path folder) throws IOException {
    Optional<String> incomplete = incomplete(folder);
    if (incomplete.isPresent()) {
      return incomplete;
    }
    for (Entry entry : entries) {
      if (!sha256(folder.resolve(entry.path())).equals(entry.sha256())) {
        return Optional.of(entry.path() + " has other content than was installed");
      }
    }
    return Optional.empty();
  }

  private static Entry entry(String line) {
    String[] fields = line.split(" ", 3);
    return new Entry(fields[0], Long.parseLong(fields[1]), fields[2]);
  }

  private static long sizeOf(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      return -1;
    }
  }

  private static String sha256(Path file) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
        in.transferTo(OutputStream.nullOutputStream());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
