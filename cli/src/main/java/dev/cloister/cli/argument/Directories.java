package dev.cloister.cli.argument;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Where things lie on this machine unless an option says otherwise. */
public final class Directories {
  private Directories() {}

  /** {@code CLOISTER_HOME}, else {@code .cloister} in the user's home. */
  public static Path home() {
    @Nullable String configured = System.getenv("CLOISTER_HOME");
    return configured == null || configured.isBlank()
        ? Path.of(System.getProperty("user.home"), ".cloister")
        : Path.of(configured).toAbsolutePath();
  }

  public static Path coordinator() {
    return home().resolve("coordinator");
  }

  public static Path agent() {
    return home().resolve("agent");
  }

  public static Path client() {
    return home().resolve("client");
  }

  /** The profile a coordinator in {@code data} keeps for administrators on its machine. */
  public static Path administrator(Path data) {
    return data.resolve("admin");
  }

  /**
   * Native libraries, unpacked or installed once for every process of this user: {@code
   * CLOISTER_LIBRARY_CACHE}, else {@code lib} in {@link #home}.
   */
  public static Path libraryCache() {
    @Nullable String configured = System.getenv("CLOISTER_LIBRARY_CACHE");
    return configured == null || configured.isBlank()
        ? home().resolve("lib")
        : Path.of(configured).toAbsolutePath();
  }

  /** The directory this program was installed to, if it runs from an installation. */
  public static Optional<Path> installation() {
    return Optional.ofNullable(System.getProperty("cloister.install")).map(Path::of);
  }

  /** The models that come with the program; the directory may be missing. */
  public static Path bundledModels() {
    return installation().orElse(Path.of("")).resolve("models").resolve("demo");
  }

  /** The demo model that comes with the program. */
  public static Optional<Path> demoModel() {
    return Optional.of(bundledModels().resolve("cloister-tiny-q8_0.gguf")).filter(Files::exists);
  }
}
