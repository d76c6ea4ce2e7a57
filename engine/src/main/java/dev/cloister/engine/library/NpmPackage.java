package dev.cloister.engine.library;

/**
 * A package in an npm registry, pinned.
 *
 * @param name with its scope: {@code @node-llama-cpp/linux-x64}
 * @param binaries the folder below {@code package/bins} that holds its libraries
 * @param integrity {@code sha512-} and the digest of the packed file in Base64, as npm's {@code
 *     dist.integrity}
 * @param packedBytes the size of the packed file
 * @param unpackedBytes the size of all files in it; an archive that holds more is refused
 */
public record NpmPackage(
    String name,
    String version,
    String binaries,
    String integrity,
    long packedBytes,
    long unpackedBytes) {

  /** The name without its scope. */
  String shortName() {
    return name.substring(name.indexOf('/') + 1);
  }

  /** Where registries keep the packed file, below their address. */
  String path() {
    return name + "/-/" + shortName() + "-" + version + ".tgz";
  }
}
