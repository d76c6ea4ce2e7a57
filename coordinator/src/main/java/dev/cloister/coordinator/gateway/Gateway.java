package dev.cloister.coordinator.gateway;

import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.TlsKeyPair;
import com.linecorp.armeria.server.Route;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.gateway.openai.CompletionEndpoint;
import dev.cloister.coordinator.gateway.openai.ModelsEndpoint;
import dev.cloister.coordinator.identity.ApiKeys;
import dev.cloister.coordinator.routing.Dispatcher;
import dev.cloister.identity.IdentitySource;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The user port: OpenAI's API over HTTP/1.1 and HTTP/2. */
public final class Gateway implements AutoCloseable {
  static final int MAX_BODY_BYTES = 8 << 20;

  private final Server server;
  private final ExecutorService workers;

  private Gateway(Server server, ExecutorService workers) {
    this.server = server;
    this.workers = workers;
  }

  /**
   * Starts listening.
   *
   * @param tls the certificate to show, always the newest; without one, the port speaks plain HTTP
   *     and may be bound to a loopback address only
   * @throws IOException if the address cannot be bound
   */
  public static Gateway start(
      InetSocketAddress address,
      Optional<IdentitySource> tls,
      Catalog catalog,
      Dispatcher dispatcher,
      ApiKeys apiKeys,
      InstantSource clock)
      throws IOException {
    if (tls.isEmpty() && !address.getAddress().isLoopbackAddress()) {
      throw new IllegalArgumentException("plain HTTP is for loopback addresses only: " + address);
    }
    ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
    ApiKeyCheck check = new ApiKeyCheck(apiKeys);
    ModelsEndpoint models = new ModelsEndpoint(catalog);
    ServerBuilder builder =
        Server.builder()
            .maxRequestLength(MAX_BODY_BYTES)
            // An answer takes as long as it takes; a caller that leaves cancels it.
            .requestTimeoutMillis(0)
            .errorHandler(new ErrorResponses())
            // Which logs what is worth a line; this would add a stack trace for callers' mistakes.
            .unloggedExceptionsReportIntervalMillis(0)
            .disableDateHeader()
            .disableServerHeader()
            .gracefulShutdownTimeoutMillis(0, 0)
            .bossGroupFactory(Acceptor::new)
            .service(
                read("/healthz"),
                (context, request) ->
                    HttpResponse.of(HttpStatus.OK, MediaType.JSON_UTF_8, "{\"status\":\"ok\"}"))
            .service(
                written("/v1/chat/completions"),
                CompletionEndpoint.chat(dispatcher, clock, workers).decorate(check))
            .service(
                written("/v1/completions"),
                CompletionEndpoint.text(dispatcher, clock, workers).decorate(check))
            .service(read("/v1/models"), models.decorate(check))
            .service(read("/v1/models/{*id}"), models.decorate(check));
    if (tls.isPresent()) {
      IdentitySource identity = tls.get();
      // Asked at every handshake: the certificate is renewed while the port stays open.
      builder
          .https(address)
          .tlsProvider(host -> TlsKeyPair.of(identity.current().key(), identity.current().chain()));
    } else {
      builder.http(address);
    }
    Server server = builder.build();
    try {
      server.start().join();
    } catch (CompletionException e) {
      workers.close();
      server.close();
      @Nullable Throwable cause = e.getCause();
      throw cause instanceof IOException io ? io : new BindException(String.valueOf(cause));
    }
    return new Gateway(server, workers);
  }

  private static Route read(String path) {
    return Route.builder().path(path).methods(HttpMethod.GET, HttpMethod.HEAD).build();
  }

  private static Route written(String path) {
    return Route.builder().path(path).methods(HttpMethod.POST).build();
  }

  /** Accepts connections. By default it would hold up every shutdown for two seconds. */
  private static final class Acceptor extends MultiThreadIoEventLoopGroup {
    Acceptor(String name) {
      super(1, new DefaultThreadFactory(name, true), NioIoHandler.newFactory());
    }

    @Override
    public Future<?> shutdownGracefully() {
      return shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }

  /** The port it listens on. */
  public int port() {
    return server.activeLocalPort();
  }

  /** Stops listening; callers that still wait get an error. */
  @Override
  public void close() {
    server.close();
    workers.shutdownNow();
  }
}
