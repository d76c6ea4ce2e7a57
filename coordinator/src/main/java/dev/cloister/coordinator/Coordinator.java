package dev.cloister.coordinator;

import dev.cloister.coordinator.api.ClusterServer;
import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelContents;
import dev.cloister.coordinator.courtesy.Policies;
import dev.cloister.coordinator.deployment.Deployments;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.gateway.Gateway;
import dev.cloister.coordinator.identity.Admission;
import dev.cloister.coordinator.identity.ApiKeys;
import dev.cloister.coordinator.identity.Member;
import dev.cloister.coordinator.links.Links;
import dev.cloister.coordinator.links.Survey;
import dev.cloister.coordinator.relay.Relays;
import dev.cloister.coordinator.routing.Dispatcher;
import dev.cloister.coordinator.store.Database;
import dev.cloister.coordinator.store.SqliteApiKeyRecords;
import dev.cloister.coordinator.store.SqliteModelRecords;
import dev.cloister.coordinator.store.SqliteNodeRecords;
import dev.cloister.coordinator.store.SqlitePolicyRecords;
import dev.cloister.coordinator.store.SqliteTokenRecords;
import dev.cloister.coordinator.wake.Waker;
import dev.cloister.coordinator.wake.WakingOutlook;
import dev.cloister.identity.Identity;
import dev.cloister.identity.IdentitySource;
import dev.cloister.identity.MemberKey;
import dev.cloister.identity.RenewableIdentity;
import dev.cloister.identity.Role;
import dev.cloister.identity.authority.CertificateAuthority;
import dev.cloister.identity.authority.PassphraseSource;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.ticket.TicketSigner;
import dev.cloister.identity.ticket.TicketVerifier;
import dev.cloister.identity.token.JoinToken;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running coordinator. Thread-safe. */
public final class Coordinator implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Coordinator.class);
  private static final Duration SWEEP_INTERVAL = Duration.ofMillis(250);
  private static final Duration RING_INTERVAL = Duration.ofMillis(100);

  /** What has lived for long and died is not looked for before the heap has grown to its bound. */
  private static final Duration COLLECTION_INTERVAL = Duration.ofMinutes(10);

  private final Deque<AutoCloseable> parts = new ArrayDeque<>();
  private final CoordinatorConfig config;
  private final InstantSource clock;
  private @Nullable Admission admission;
  private @Nullable ApiKeys apiKeys;
  private int clusterPort;
  private int apiPort;

  private Coordinator(CoordinatorConfig config, InstantSource clock) {
    this.config = config;
    this.clock = clock;
  }

  /**
   * Starts a coordinator.
   *
   * @throws CoordinatorStartException if it cannot; nothing is left running
   */
  public static Coordinator start(CoordinatorConfig config, InstantSource clock) {
    Coordinator coordinator = new Coordinator(config, clock);
    try {
      coordinator.start();
      return coordinator;
    } catch (RuntimeException e) {
      coordinator.close();
      throw e;
    }
  }

  private void start() {
    Path data = config.dataDirectory();
    opened(DataDirectoryLock.take(data));
    CertificateAuthority authority = openAuthority(data.resolve("ca"));
    Database database = opened(Database.open(data.resolve("cloister.db")));
    SqliteTokenRecords members = new SqliteTokenRecords(database);
    Catalog catalog = openCatalog(database);
    Fleet fleet =
        new Fleet(
            members.withRole(Role.AGENT).stream().map(Coordinator::node).toList(),
            new SqliteNodeRecords(database),
            clock,
            CoordinatorConfig.SILENCE_LIMIT);
    Links links = new Links();
    Survey survey = new Survey(fleet, links, clock);
    ModelContents contents = new ModelContents(config.modelFiles());
    Deployments deployments =
        new Deployments(
            catalog, fleet, links, contents, clock, () -> JoinToken.newId(new SecureRandom()));
    Waker waker = new Waker();
    Dispatcher dispatcher =
        new Dispatcher(
            catalog, fleet, new WakingOutlook(deployments, fleet, waker::wake, clock), clock);
    // The dispatcher last: it asks what the other made of the news.
    fleet.addListener(survey);
    fleet.addListener(deployments);
    catalog.addListener(deployments);
    fleet.addListener(dispatcher);
    ApiKeys keys = new ApiKeys(new SqliteApiKeyRecords(database), clock);
    apiKeys = keys;
    Admission door = new Admission(authority, members, clock, member -> declare(fleet, member));
    admission = door;

    String memberId = JoinToken.newId(new SecureRandom());
    RenewableIdentity identity =
        new RenewableIdentity(issue(authority, Role.COORDINATOR, memberId, hosts()));
    Relays relays =
        new Relays(new TicketVerifier(identity, clock), id -> fleet.session(id).isPresent(), clock);
    startClusterServer(
        identity,
        new ClusterServer.Services(
            fleet,
            catalog,
            contents,
            deployments,
            new TicketSigner(identity),
            relays,
            survey,
            dispatcher,
            waker,
            door,
            keys,
            port -> advertisedHost() + ":" + port,
            CoordinatorConfig.REPORT_INTERVAL,
            new Policies(config.courtesy(), new SqlitePolicyRecords(database)),
            clock));
    startGateway(identity, catalog, dispatcher, keys);

    ScheduledExecutorService timer =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("coordinator-timer").daemon().factory());
    opened(timer::shutdownNow);
    repeat(timer, fleet::sweep, SWEEP_INTERVAL);
    repeat(timer, relays::sweep, SWEEP_INTERVAL);
    repeat(timer, () -> survey.tick(deployments.wish()), SWEEP_INTERVAL);
    repeat(timer, deployments::tick, RING_INTERVAL);
    repeat(timer, dispatcher::retry, SWEEP_INTERVAL);
    repeat(timer, System::gc, COLLECTION_INTERVAL);
    String adminId = JoinToken.newId(new SecureRandom());
    Runnable renew =
        () -> {
          identity.set(issue(authority, Role.COORDINATOR, memberId, hosts()));
          saveAdministrator(authority, adminId);
        };
    saveAdministrator(authority, adminId);
    repeat(timer, renew, Admission.CERTIFICATE_LIFETIME.dividedBy(2));
    log.info(
        "coordinator of cluster {} is up: cluster port {}, API port {}",
        authority.clusterId(),
        clusterPort,
        apiPort);
  }

  private CertificateAuthority openAuthority(Path directory) {
    return CertificateAuthority.openOrCreate(
        directory,
        PassphraseSource.passphrase(directory, config.passphrase(), config.passphraseFile()),
        clock);
  }

  private Catalog openCatalog(Database database) {
    Catalog catalog = new Catalog(new SqliteModelRecords(database), clock);
    config
        .models()
        .forEach(
            (name, file) -> {
              try {
                Model model = catalog.add(name, file);
                if (config.split().isPresent()) {
                  catalog.configure(name, model.options().withSplit(config.split()));
                }
              } catch (NoSuchFileException e) {
                throw new CoordinatorStartException(
                    "the model file " + file + " does not exist", e);
              } catch (IOException e) {
                throw new CoordinatorStartException(
                    "the model file " + file + " cannot be read: " + e.getMessage(), e);
              } catch (IllegalArgumentException e) {
                throw new CoordinatorStartException(String.valueOf(e.getMessage()), e);
              }
            });
    return catalog;
  }

  private void startClusterServer(RenewableIdentity identity, ClusterServer.Services services) {
    try {
      ClusterServer server = opened(ClusterServer.start(config.cluster(), identity, services));
      clusterPort = server.port();
    } catch (IOException e) {
      throw cannotListen(config.cluster(), "--port", e);
    }
  }

  private void startGateway(
      IdentitySource identity, Catalog catalog, Dispatcher dispatcher, ApiKeys apiKeys) {
    Optional<IdentitySource> tls =
        config.api().getAddress().isLoopbackAddress() ? Optional.empty() : Optional.of(identity);
    try {
      Gateway gateway =
          opened(Gateway.start(config.api(), tls, catalog, dispatcher, apiKeys, clock));
      apiPort = gateway.port();
    } catch (IOException e) {
      throw cannotListen(config.api(), "--api-port", e);
    }
  }

  private static CoordinatorStartException cannotListen(
      InetSocketAddress address, String option, IOException e) {
    return new CoordinatorStartException(
        address.getHostString()
            + ":"
            + address.getPort()
            + " cannot be listened on (it may be in use); choose another port with "
            + option,
        e);
  }

  /**
   * The administrator's profile on this machine: whoever can read the coordinator's own directory
   * governs it anyway.
   */
  private void saveAdministrator(CertificateAuthority authority, String memberId) {
    InetAddress bound = config.cluster().getAddress();
    String host = bound.isAnyLocalAddress() ? "127.0.0.1" : bracketed(bound.getHostAddress());
    Membership.save(
        config.dataDirectory().resolve("admin"),
        host + ":" + clusterPort,
        issue(authority, Role.ADMIN, memberId, List.of()));
  }

  private static Identity issue(
      CertificateAuthority authority, Role role, String memberId, List<String> hosts) {
    KeyPair keys = MemberKey.generate();
    return new Identity(
        keys.getPrivate(),
        authority.issue(
            MemberKey.signingRequest(keys), role, memberId, Admission.CERTIFICATE_LIFETIME, hosts));
  }

  /** The names callers of the user port may know this machine by. */
  private List<String> hosts() {
    List<String> hosts = new ArrayList<>(List.of("localhost", "127.0.0.1"));
    for (String host : List.of(unbracketed(advertisedHost()), config.api().getHostString())) {
      if (!hosts.contains(host) && !host.equals("0.0.0.0")) {
        hosts.add(host);
      }
    }
    return hosts;
  }

  private String advertisedHost() {
    return config
        .advertisedHost()
        .orElseGet(() -> bracketed(config.cluster().getAddress().getHostAddress()));
  }

  private static String bracketed(String host) {
    return host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
  }

  private static String unbracketed(String host) {
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  private static void declare(Fleet fleet, Member member) {
    if (member.role() == Role.AGENT) {
      fleet.declare(node(member));
    }
  }

  private static Node node(Member member) {
    return new Node(member.id(), member.name());
  }

  private static void repeat(ScheduledExecutorService timer, Runnable work, Duration interval) {
    var _ =
        timer.scheduleWithFixedDelay(
            () -> {
              try {
                work.run();
              } catch (RuntimeException e) {
                // A timer drops a task that throws.
                log.error("a periodic task failed", e);
              }
            },
            interval.toMillis(),
            interval.toMillis(),
            TimeUnit.MILLISECONDS);
  }

  /**
   * Makes a join token for one agent, as an administrator would.
   *
   * @return the whole token; it is told once
   */
  public String admitAgent(Duration lifetime) {
    return Objects.requireNonNull(admission)
        .createToken(Role.AGENT, lifetime, 1, advertisedHost() + ":" + clusterPort)
        .token()
        .encode();
  }

  /**
   * Makes an API key, as an administrator would.
   *
   * @return the whole key; it is told once
   */
  public String createApiKey(String name) {
    return Objects.requireNonNull(apiKeys).create(name).key();
  }

  /** The port the cluster port is bound to. */
  public int clusterPort() {
    return clusterPort;
  }

  /** Where HTTP callers reach this coordinator, for example {@code http://127.0.0.1:8080}. */
  public String apiUrl() {
    InetAddress bound = config.api().getAddress();
    String scheme = bound.isLoopbackAddress() ? "http" : "https";
    String host =
        bound.isAnyLocalAddress() ? advertisedHost() : bracketed(config.api().getHostString());
    return scheme + "://" + host + ":" + apiPort;
  }

  private <T extends AutoCloseable> T opened(T part) {
    parts.push(part);
    return part;
  }

  /** Ends what runs and closes the database. */
  @Override
  public void close() {
    while (!parts.isEmpty()) {
      try {
        parts.pop().close();
      } catch (Exception e) {
        log.warn("closing failed", e);
      }
    }
  }
}
