package dev.cloister.engine.library;

import dev.cloister.testkit.TarArchive;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;

/** A small package with what such packages hold, and its pin. */
final class TestPackage {
  static final Platform PLATFORM = new Platform("linux", "x64");

  private final NpmPackage pin;
  private final byte[] packed;

  private TestPackage(NpmPackage pin, byte[] packed) {
    this.pin = pin;
    this.packed = packed;
  }

  NpmPackage pin() {
    return pin;
  }

  byte[] packed() {
    return packed;
  }

  /** The main package of a build. */
  static TestPackage main(Backend backend) {
    return of("linux-x64-" + backend.id(), usual(backend));
  }

  static TarArchive usual(Backend backend) {
    String folder = "package/bins/linux-x64-" + backend.id() + "/";
    return new TarArchive()
        .file("package/LICENSE", bytes("MIT"))
        .file("package/package.json", bytes("{}"))
        .file(folder + "llama-addon.node", bytes("addon"))
        .file(folder + "libggml-base.so", bytes("base"))
        .file(folder + "libggml-cpu-haswell.so", bytes("haswell"))
        .file(folder + "libllama-common.so", bytes("common"))
        .file(folder + "libllama.v0.5.0.so", bytes("llama".repeat(30_000)));
  }

  static TestPackage of(String binaries, TarArchive content) {
    return of(binaries, content.packed());
  }

  static TestPackage of(String binaries, byte[] packed) {
    return named(binaries, binaries, packed);
  }

  static TestPackage named(String name, String binaries, byte[] packed) {
    return new TestPackage(
        new NpmPackage("@test/" + name, "1.2.3", binaries, sha512(packed), packed.length, 1 << 20),
        packed);
  }

  String path() {
    return "/" + pin.path();
  }

  static LibraryBuild build(Backend backend, TestPackage... packages) {
    return new LibraryBuild(
        "0.5.0", PLATFORM, backend, List.of(packages).stream().map(TestPackage::pin).toList());
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String sha512(byte[] packed) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-512").digest(packed);
      return "sha512-" + Base64.getEncoder().encodeToString(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-512", e);
    }
  }
}
