package dev.cloister.agent.modelstore;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Model files that came with the installation, which need not be fetched: those that a {@code
 * SHA256SUMS} beside them lists, in the format of {@code sha256sum}. Everything else comes from
 * another source. Nothing is taken on trust: the store checks what it gets from here as well.
 */
public final class BundledModels implements ModelSource {
  private final Path directory;
  private final ModelSource otherwise;

  /**
   * @param directory may be missing
   */
  public BundledModels(Path directory, ModelSource otherwise) {
    this.directory = directory;
    this.otherwise = otherwise;
  }

  @Override
  public InputStream open(String sha256, long offset) throws IOException {
    Optional<Path> file = find(sha256);
    if (file.isEmpty()) {
      return otherwise.open(sha256, offset);
    }
    InputStream in = Files.newInputStream(file.get());
    in.skipNBytes(Math.min(offset, Files.size(file.get())));
    return in;
  }

  Optional<Path> find(String sha256) throws IOException {
    Path sums = directory.resolve("SHA256SUMS");
    if (!Files.exists(sums)) {
      return Optional.empty();
    }
    return Files.readAllLines(sums).stream()
        .filter(line -> line.startsWith(sha256 + "  "))
        .map(line -> directory.resolve(line.substring(sha256.length() + 2)))
        .filter(Files::isRegularFile)
        .findFirst();
  }
}
