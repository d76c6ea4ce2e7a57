package dev.cloister.coordinator.catalog;

import dev.cloister.coordinator.labels.Labels;
import java.nio.file.Path;
import java.time.Instant;

/**
 * A model of the catalog.
 *
 * @param sha256 of its file: 64 lower-case hexadecimal digits
 * @param modifiedAt of the file when it was hashed: a file that still has this time and size is not
 *     hashed again
 * @param required labels that a node must have to have any of it, and to see requests for it
 */
public record Model(
    String name,
    String sha256,
    long sizeBytes,
    Path file,
    Instant modifiedAt,
    Instant createdAt,
    ModelOptions options,
    Labels required) {

  public Model {
    if (!ModelName.isValid(name)) {
      throw new IllegalArgumentException(
          "model name: "
              + name
              + " (expected: letters, digits, '.', '_', '-', at most 63 of them, optionally /part"
              + " and :tag)");
    }
  }

  /** One that any node may have. */
  public Model(
      String name,
      String sha256,
      long sizeBytes,
      Path file,
      Instant modifiedAt,
      Instant createdAt,
      ModelOptions options) {
    this(name, sha256, sizeBytes, file, modifiedAt, createdAt, options, Labels.NONE);
  }

  /** The same, run with other options. */
  public Model with(ModelOptions other) {
    return new Model(name, sha256, sizeBytes, file, modifiedAt, createdAt, other, required);
  }

  /** The same, for other nodes. */
  public Model requiring(Labels other) {
    return new Model(name, sha256, sizeBytes, file, modifiedAt, createdAt, options, other);
  }
}
