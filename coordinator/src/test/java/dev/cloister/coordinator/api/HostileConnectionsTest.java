package dev.cloister.coordinator.api;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.identity.Role;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.Random;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class HostileConnectionsTest {
  @TempDir private Path directory;
  private TestClusterPort cluster;
  private AgentOnTheWire session;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestClusterPort(directory);
    session =
        new AgentOnTheWire(cluster.channel(cluster.join(Role.AGENT, "desk").identity())).open();
  }

  @AfterEach
  void theOthersGoOn() {
    assertThat(session.isOpen()).isTrue();
    assertThat(cluster.join(Role.AGENT, "next")).isNotNull();
    cluster.close();
  }

  @Test
  void randomBytesAreCutOff() throws Exception {
    for (int seed = 0; seed < 20; seed++) {
      byte[] bytes = new byte[5_000];
      new Random(seed).nextBytes(bytes);
      assertCutOff(bytes);
    }
  }

  @Test
  void plainHttpIsCutOff() throws Exception {
    assertCutOff("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(US_ASCII));
    assertCutOff("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII));
  }

  @Test
  void olderTlsIsRefused() throws Exception {
    try (SSLSocket socket = trusting()) {
      socket.setEnabledProtocols(new String[] {"TLSv1.2"});
      assertThatThrownBy(socket::startHandshake).isInstanceOf(SSLException.class);
    }
  }

  @Test
  void rubbishBehindTheHandshakeIsCutOff() throws Exception {
    try (SSLSocket socket = trusting()) {
      var parameters = socket.getSSLParameters();
      parameters.setApplicationProtocols(new String[] {"h2"});
      socket.setSSLParameters(parameters);
      socket.startHandshake();
      socket.getOutputStream().write(new byte[10_000]);
      drain(socket);
    }
  }

  /** Trusts anybody, as an attacker would. */
  private SSLSocket trusting() throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {new TrustsAll()}, null);
    SSLSocket socket =
        (SSLSocket)
            context
                .getSocketFactory()
                .createSocket(InetAddress.ofLiteral("127.0.0.1"), cluster.port());
    socket.setSoTimeout(10_000);
    return socket;
  }

  private void assertCutOff(byte[] bytes) throws IOException {
    try (Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), cluster.port())) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write(bytes);
      drain(socket);
    }
  }

  /** Reads until the other end closes; a timeout fails the test. */
  private static void drain(Socket socket) throws IOException {
    try {
      socket.getInputStream().readAllBytes();
    } catch (java.net.SocketTimeoutException e) {
      throw e;
    } catch (IOException e) {
      // Reset: cut off as well.
    }
  }

  private static final class TrustsAll implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
