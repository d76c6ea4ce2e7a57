package dev.cloister.identity.tls;

import dev.cloister.identity.IdentitySource;
import dev.cloister.identity.InvalidIdentityException;
import dev.cloister.identity.Role;
import dev.cloister.identity.SpiffeId;
import io.grpc.netty.GrpcSslContexts;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.security.cert.X509Certificate;
import java.util.Optional;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * TLS contexts for gRPC between members. All of them speak TLS 1.3 and HTTP/2 only.
 *
 * <p>A peer's certificate must be signed by the cluster's root, be valid now, be made for the side
 * of the connection it is on, and carry a {@link SpiffeId} of this cluster. Host names are not
 * checked. The own identity is asked for at each handshake, so a renewed one needs no new context.
 *
 * <p>Sessions are never resumed: every connection is a full handshake with all checks.
 *
 * <p>Contexts are thread-safe and meant to live as long as the process.
 */
public final class ClusterTls {
  /**
   * RFC 8446 allows tickets no more than 7 days, so with a longer session timeout the platform
   * issues none; it has no switch for one context.
   */
  private static final long NO_TICKETS_SECONDS = Integer.MAX_VALUE;

  private ClusterTls() {}

  /** Returns the context of the coordinator's listener, where newcomers have no certificate. */
  public static SslContext server(IdentitySource own) {
    return server(own, ClientCertificate.OPTIONAL);
  }

  /** Returns the context of a listener. */
  public static SslContext server(IdentitySource own, ClientCertificate clients) {
    ClientAuth clientAuth =
        switch (clients) {
          case OPTIONAL -> ClientAuth.OPTIONAL;
          case REQUIRED -> ClientAuth.REQUIRE;
        };
    return build(
        SslContextBuilder.forServer(new CurrentKey(own))
            .trustManager(new MemberCheck(own, null))
            .clientAuth(clientAuth));
  }

  /** Returns the context of connections to members of one role. */
  public static SslContext client(IdentitySource own, Role expectedPeer) {
    return build(
        SslContextBuilder.forClient()
            .keyManager(new CurrentKey(own))
            .trustManager(new MemberCheck(own, expectedPeer)));
  }

  /**
   * Returns the context of a newcomer's connection to the coordinator. It presents no certificate.
   * The handshake fails with a {@link PinMismatchException} among its causes if the coordinator is
   * of another cluster.
   *
   * @param rootPin from the {@link dev.cloister.identity.JoinToken}
   */
  public static SslContext enrolling(byte[] rootPin) {
    return build(SslContextBuilder.forClient().trustManager(new PinnedCheck(rootPin)));
  }

  /** Returns who is at the other end; empty if the peer presented no certificate. */
  public static Optional<SpiffeId> peer(SSLSession session) {
    try {
      return session.getPeerCertificates()[0] instanceof X509Certificate leaf
          ? Optional.of(SpiffeId.of(leaf))
          : Optional.empty();
    } catch (SSLPeerUnverifiedException e) {
      return Optional.empty();
    } catch (InvalidIdentityException e) {
      throw new IllegalStateException("session was not made by a context of this class", e);
    }
  }

  private static SslContext build(SslContextBuilder context) {
    try {
      return GrpcSslContexts.configure(context, SslProvider.JDK)
          .protocols("TLSv1.3")
          .sessionTimeout(NO_TICKETS_SECONDS)
          .build();
    } catch (SSLException e) {
      throw new IllegalStateException("the Java platform has no TLS 1.3", e);
    }
  }
}
