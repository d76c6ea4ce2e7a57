package dev.cloister.engine.library;

import java.util.List;

/**
 * A build of llama.cpp that can be installed.
 *
 * @param version llama.cpp's
 * @param packages what it consists of, the main one first
 */
public record LibraryBuild(
    String version, Platform platform, Backend backend, List<NpmPackage> packages) {

  public LibraryBuild {
    if (packages.isEmpty()) {
      throw new IllegalArgumentException("packages: none (expected: one or more)");
    }
    packages = List.copyOf(packages);
  }

  /** The platform is part of it because homes are shared between machines of several kinds. */
  String folderName() {
    return InstalledLibraries.PREFIX + version + "-" + platform + "-" + backend.id();
  }

  /** How much is to be downloaded. */
  public long packedBytes() {
    return packages.stream().mapToLong(NpmPackage::packedBytes).sum();
  }
}
