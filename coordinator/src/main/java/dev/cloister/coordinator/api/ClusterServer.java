package dev.cloister.coordinator.api;

import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.ModelContents;
import dev.cloister.coordinator.courtesy.Policies;
import dev.cloister.coordinator.deployment.Deployments;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.identity.Admission;
import dev.cloister.coordinator.identity.ApiKeys;
import dev.cloister.coordinator.links.Survey;
import dev.cloister.coordinator.relay.Relays;
import dev.cloister.coordinator.routing.Dispatcher;
import dev.cloister.coordinator.wake.Waker;
import dev.cloister.identity.IdentitySource;
import dev.cloister.identity.ticket.TicketSigner;
import dev.cloister.identity.tls.ClusterTls;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.function.IntSupplier;

/**
 * The cluster port. Transport limits that gRPC leaves open are set here; see {@code
 * docs/security.md}.
 */
public final class ClusterServer implements AutoCloseable {
  private static final int MAX_MESSAGE_BYTES = 16 << 20;
  private static final int MAX_METADATA_BYTES = 8 << 10;
  private static final int MAX_CALLS_PER_CONNECTION = 1_000;

  private final Server server;
  private final ExecutorService executor;

  private ClusterServer(Server server, ExecutorService executor) {
    this.server = server;
    this.executor = executor;
  }

  /**
   * The services behind the port.
   *
   * @param advertisedAddress where members reach this coordinator, given the port it listens on
   * @param reportInterval how often agents report their load
   * @param policies when machines work
   */
  public record Services(
      Fleet fleet,
      Catalog catalog,
      ModelContents contents,
      Deployments deployments,
      TicketSigner ticketSigner,
      Relays relays,
      Survey survey,
      Dispatcher dispatcher,
      Waker waker,
      Admission admission,
      ApiKeys apiKeys,
      IntFunction<String> advertisedAddress,
      Duration reportInterval,
      Policies policies,
      InstantSource clock) {

    List<BindableService> all(IntSupplier port) {
      return List.of(
          new SessionGrpc(
              fleet,
              survey,
              deployments,
              dispatcher,
              reportInterval,
              ticketSigner,
              policies,
              clock),
          new InferenceGrpc(dispatcher),
          new RoutingGrpc(dispatcher.decisions()),
          new CatalogGrpc(catalog, contents, fleet, deployments, relays),
          new RelayGrpc(relays),
          new FleetGrpc(fleet, deployments, dispatcher, waker, policies, clock),
          new AccessGrpc(admission, apiKeys, () -> advertisedAddress.apply(port.getAsInt())),
          new EnrollmentGrpc(admission, fleet));
    }
  }

  /**
   * Starts listening.
   *
   * @throws IOException if the address cannot be bound
   */
  public static ClusterServer start(
      InetSocketAddress address, IdentitySource identity, Services services) throws IOException {
    ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(address)
            .sslContext(ClusterTls.server(identity))
            .executor(executor)
            .intercept(new FailureInterceptor())
            .intercept(new AccessInterceptor())
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .maxInboundMetadataSize(MAX_METADATA_BYTES)
            .maxConcurrentCallsPerConnection(MAX_CALLS_PER_CONNECTION)
            .maxRstFramesPerWindow(200, 30)
            .handshakeTimeout(20, TimeUnit.SECONDS)
            // An idle client's channel may ping; more often than this is abuse.
            .permitKeepAliveTime(5, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .keepAliveTime(10, TimeUnit.SECONDS)
            .keepAliveTimeout(5, TimeUnit.SECONDS);
    AtomicInteger port = new AtomicInteger();
    services.all(port::get).forEach(builder::addService);
    Server server = builder.build();
    try {
      server.start();
      port.set(server.getPort());
      return new ClusterServer(server, executor);
    } catch (IOException e) {
      server.shutdownNow();
      executor.close();
      throw e;
    }
  }

  /** The port it listens on. */
  public int port() {
    return server.getPort();
  }

  /** Ends all sessions and calls, within two seconds. */
  @Override
  public void close() {
    server.shutdown();
    try {
      // Sessions never end by themselves: what is not done at once is cut off.
      if (!server.awaitTermination(200, TimeUnit.MILLISECONDS)) {
        server.shutdownNow();
        server.awaitTermination(2, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
    executor.shutdownNow();
  }
}
