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
 * @param retention how long it stays loaded
 */
public record Model(
    String name,
    String sha256,
    long sizeBytes,
    Path file,
    Instant modifiedAt,
    Instant createdAt,
    ModelOptions options,
    Labels required,
    Retention retention) {

  public Model {
    if (!ModelName.isValid(name)) {
      throw new IllegalArgumentException(
          "model name: "
              + name
              + " (expected: letters, digits, '.', '_', '-', at most 63 of them, optionally /part"
              + " and :tag)");
    }
  }

  /** One that any node may have, for as long as there is room. */
  public Model(
      String name,
      String sha256,
      long sizeBytes,
      Path file,
      Instant modifiedAt,
      Instant createdAt,
      ModelOptions options) {
    this(
        name,
        sha256,
        sizeBytes,
        file,
        modifiedAt,
        createdAt,
        options,
        Labels.NONE,
        Retention.WHILE_THERE_IS_ROOM);
  }

  /** The same, run with other options. */
  public Model with(ModelOptions other) {
    return new Model(
        name, sha256, sizeBytes, file, modifiedAt, createdAt, other, required, retention);
  }

  /** The same, for other nodes. */
  public Model requiring(Labels other) {
    return new Model(
        name, sha256, sizeBytes, file, modifiedAt, createdAt, options, other, retention);
  }

  /** The same, that stays loaded otherwise. */
  public Model retained(Retention other) {
    return new Model(
        name, sha256, sizeBytes, file, modifiedAt, createdAt, options, required, other);
  }

  /** Whether engines run the other one as they run this one, however long it stays loaded. */
  public boolean runsAs(Model other) {
    return equals(other.retained(retention));
  }
}
