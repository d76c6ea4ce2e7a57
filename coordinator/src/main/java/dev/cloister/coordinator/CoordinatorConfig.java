package dev.cloister.coordinator;

import dev.cloister.coordinator.catalog.ModelFiles;
import dev.cloister.coordinator.courtesy.CourtesyPolicy;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What a coordinator is started with.
 *
 * @param dataDirectory holds the database, the authority and the administrator's profile
 * @param cluster where the cluster port listens
 * @param advertisedHost the host that goes into join tokens
 * @param api where the user port listens; with TLS unless it is a loopback address
 * @param models file by name; added to the catalog at the start
 * @param split over how many nodes each of them is spread from now on; empty leaves that as it is
 * @param modelFiles reads what model files hold
 * @param courtesy what machines keep to where nobody set anything else
 * @param passphrase of the root key
 * @param passphraseFile holds it, if {@code passphrase} is null
 */
public record CoordinatorConfig(
    Path dataDirectory,
    InetSocketAddress cluster,
    Optional<String> advertisedHost,
    InetSocketAddress api,
    Map<String, Path> models,
    OptionalInt split,
    ModelFiles modelFiles,
    CourtesyPolicy courtesy,
    @Nullable String passphrase,
    @Nullable Path passphraseFile) {

  /** How often agents report their load. */
  static final Duration REPORT_INTERVAL = Duration.ofSeconds(1);

  /** A node that reported nothing for so long is lost. */
  static final Duration SILENCE_LIMIT = Duration.ofMillis(2_500);

  public CoordinatorConfig {
    models = Map.copyOf(models);
  }

  /** Without the passphrase. */
  @Override
  public String toString() {
    return "CoordinatorConfig[" + dataDirectory + ", cluster=" + cluster + ", api=" + api + "]";
  }
}
