package dev.cloister.deploy;

import java.nio.file.Path;

/** The distribution that this build made. */
final class Distribution {
  /** The directory {@code cloister} of the distribution. */
  static final Path HOME = Path.of(System.getProperty("cloister.distribution"));

  private Distribution() {}
}
