package dev.cloister.cli.argument;

import dev.cloister.client.CloisterClient;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --profile}, on everything that talks to a coordinator. */
public final class ProfileOptions {
  @Option(
      names = "--profile",
      paramLabel = "DIR",
      description = {
        "The identity to use (default: CLOISTER_PROFILE, else the one made with 'cloister join',",
        "else the administrator's of a coordinator on this machine)."
      })
  private @Nullable Path profile;

  public CloisterClient open() {
    return CloisterClient.open(directory());
  }

  private Path directory() {
    if (profile != null) {
      return profile;
    }
    @Nullable String configured = System.getenv("CLOISTER_PROFILE");
    if (configured != null && !configured.isBlank()) {
      return Path.of(configured);
    }
    Path administrator = Directories.administrator(Directories.coordinator());
    if (!Files.exists(Directories.client()) && Files.exists(administrator)) {
      return administrator;
    }
    return Directories.client();
  }
}
