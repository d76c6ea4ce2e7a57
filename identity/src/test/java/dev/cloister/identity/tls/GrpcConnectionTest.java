package dev.cloister.identity.tls;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.identity.Identity;
import dev.cloister.identity.RenewableIdentity;
import dev.cloister.identity.Role;
import dev.cloister.identity.authority.TestCluster;
import io.grpc.CallOptions;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.netty.handler.ssl.SslContext;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contexts under real gRPC, over loopback; the server answers with who the caller is. */
class GrpcConnectionTest {
  private static final MethodDescriptor<String, String> WHO_AM_I =
      MethodDescriptor.<String, String>newBuilder()
          .setType(MethodDescriptor.MethodType.UNARY)
          .setFullMethodName("test.Mirror/WhoAmI")
          .setRequestMarshaller(new Text())
          .setResponseMarshaller(new Text())
          .build();

  private final TestCluster cluster;
  private final RenewableIdentity coordinator;
  private final Server server;

  GrpcConnectionTest(@TempDir Path directory) throws IOException {
    cluster = new TestCluster(directory);
    coordinator = new RenewableIdentity(cluster.member(Role.COORDINATOR, "c1"));
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .sslContext(ClusterTls.server(coordinator))
            .addService(
                ServerServiceDefinition.builder("test.Mirror")
                    .addMethod(WHO_AM_I, GrpcConnectionTest::answer)
                    .build())
            .build()
            .start();
  }

  @AfterEach
  void stop() throws InterruptedException {
    server.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
  }

  @Test
  void aMemberIsKnownByName() throws Exception {
    Identity agent = cluster.member(Role.AGENT, "pc-7");
    assertThat(call(ClusterTls.client(() -> agent, Role.COORDINATOR)))
        .isEqualTo(agent.id() + " " + agent.leaf().getSerialNumber());
  }

  @Test
  void aNewcomerIsNobody() throws Exception {
    assertThat(call(ClusterTls.enrolling(cluster.authority().rootPin()))).isEqualTo("nobody");
  }

  @Test
  void aNewcomerWithAnotherPinLearnsThatFromTheFailure() {
    assertThatThrownBy(() -> call(ClusterTls.enrolling(new byte[32])))
        .isInstanceOf(StatusRuntimeException.class)
        .matches(PinMismatchException::isCauseOf);
  }

  @Test
  void bothSidesRenewWithoutANewContextOrListener() throws Exception {
    RenewableIdentity agent = new RenewableIdentity(cluster.member(Role.AGENT, "pc-7"));
    SslContext context = ClusterTls.client(agent, Role.COORDINATOR);
    String before = call(context);

    coordinator.set(cluster.member(Role.COORDINATOR, "c1"));
    agent.set(cluster.member(Role.AGENT, "pc-7"));

    assertThat(call(context))
        .isNotEqualTo(before)
        .endsWith(agent.current().leaf().getSerialNumber().toString());
  }

  private String call(SslContext context) throws InterruptedException {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getPort()))
            .sslContext(context)
            .build();
    try {
      return ClientCalls.blockingUnaryCall(
          channel, WHO_AM_I, CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS), "");
    } finally {
      channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
    }
  }

  private static ServerCall.Listener<String> answer(
      ServerCall<String, String> call, Metadata headers) {
    SSLSession session = requireNonNull(call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION));
    call.request(1);
    return new ServerCall.Listener<>() {
      @Override
      public void onHalfClose() {
        call.sendHeaders(new Metadata());
        call.sendMessage(describe(session));
        call.close(Status.OK, new Metadata());
      }
    };
  }

  private static String describe(SSLSession session) {
    return ClusterTls.peer(session).map(id -> id + " " + serial(session)).orElse("nobody");
  }

  private static String serial(SSLSession session) {
    try {
      X509Certificate leaf = (X509Certificate) session.getPeerCertificates()[0];
      return leaf.getSerialNumber().toString();
    } catch (SSLPeerUnverifiedException e) {
      throw new AssertionError(e);
    }
  }

  private static final class Text implements MethodDescriptor.Marshaller<String> {
    @Override
    public InputStream stream(String value) {
      return new ByteArrayInputStream(value.getBytes(UTF_8));
    }

    @Override
    public String parse(InputStream stream) {
      try {
        return new String(stream.readAllBytes(), UTF_8);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
