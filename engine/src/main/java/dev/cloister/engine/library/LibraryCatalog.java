package dev.cloister.engine.library;

import java.util.List;
import java.util.Optional;

/**
 * The builds of llama.cpp that may be installed. Their digests are part of this program, so that a
 * registry, or whoever sits on the way to it, can refuse a file but not change one.
 *
 * <p>The builds are node-llama-cpp's, of llama.cpp v0.5.0: {@code libllama} and {@code libggml},
 * one CPU library per microarchitecture, and the backend's own. Each value is what {@code npm view
 * NAME@VERSION dist} says, checked against the file. Packages for macOS and Windows belong here as
 * soon as their digests can be checked in the same way.
 */
public record LibraryCatalog(List<LibraryBuild> builds) {

  private static final String VERSION = "0.5.0";
  private static final String PACKAGE_VERSION = "3.22.1";
  private static final Platform LINUX_X64 = new Platform("linux", "x64");
  private static final Platform LINUX_ARM64 = new Platform("linux", "arm64");

  private static final LibraryCatalog PINNED =
      new LibraryCatalog(
          List.of(
              build(
                  LINUX_X64,
                  Backend.CPU,
                  npm(
                      "linux-x64",
                      "linux-x64",
                      "5uCCDNqWCNfaAm8aR/Uzxbo4HBpKgNF91kCHPepKhgMgV2OAmatoefbOlMihsqCiH2Od35E/eUHQCFbfRBJuOg==",
                      10_824_547,
                      30_358_713)),
              build(
                  LINUX_X64,
                  Backend.CUDA,
                  npm(
                      "linux-x64-cuda",
                      "linux-x64-cuda",
                      "8rQCjyNNLZJUFit+YpjwlC4hwkKgOMIkB2wuycKBf8NU2O3ySKbiWZQ8aw9ku2nUTXjSnUIrE6KB88itduTBuA==",
                      142_898_030,
                      189_352_027),
                  // The same for CUDA 12, in a folder named fallback; the other needs CUDA 13.
                  npm(
                      "linux-x64-cuda-ext",
                      "linux-x64-cuda",
                      "4e5ajkiM2aR2WAdB/N/ACk4weEhHvOAIrzxZPsIX0xDFW5+6hhShuy1/vs88SK9NGdgAco9IyE28eYS0H1efpA==",
                      176_664_119,
                      374_453_766)),
              build(
                  LINUX_X64,
                  Backend.VULKAN,
                  npm(
                      "linux-x64-vulkan",
                      "linux-x64-vulkan",
                      "bBxqU+JOcBu1nb5Qj2zcMci+JByT1E8EajHvYodyNfVIPkEhXh+/HMwR1/BT7xP08YK0hks+kM8fglER0P8JEg==",
                      24_311_427,
                      73_750_139)),
              build(
                  LINUX_ARM64,
                  Backend.CPU,
                  npm(
                      "linux-arm64",
                      "linux-arm64",
                      "W+7naKCXX9/eEjjFmRS8vvx91QyLXDbeFxexZc3bh/PtQABZgmRL3C0AtYYXn4YGTj/3Qor4lWZn2tpjZFPLdQ==",
                      7_340_902,
                      19_984_550))));

  public LibraryCatalog {
    builds = List.copyOf(builds);
  }

  /** What this release of Cloister may install. */
  public static LibraryCatalog pinned() {
    return PINNED;
  }

  public List<LibraryBuild> builds(Platform platform) {
    return builds.stream().filter(build -> build.platform().equals(platform)).toList();
  }

  public Optional<LibraryBuild> find(Platform platform, Backend backend) {
    return builds(platform).stream().filter(build -> build.backend() == backend).findFirst();
  }

  private static LibraryBuild build(Platform platform, Backend backend, NpmPackage... packages) {
    return new LibraryBuild(VERSION, platform, backend, List.of(packages));
  }

  private static NpmPackage npm(
      String name, String binaries, String sha512, long packedBytes, long unpackedBytes) {
    return new NpmPackage(
        "@node-llama-cpp/" + name,
        PACKAGE_VERSION,
        binaries,
        "sha512-" + sha512,
        packedBytes,
        unpackedBytes);
  }
}
