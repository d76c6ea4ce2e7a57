package dev.cloister.identity.tls;

import dev.cloister.identity.IdentitySource;
import dev.cloister.identity.InvalidIdentityException;
import dev.cloister.identity.Role;
import dev.cloister.identity.SpiffeId;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

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
  private static final int NO_TICKETS_SECONDS = Integer.MAX_VALUE;

  private static final String TLS_1_3 = "TLSv1.3";

  private static final ApplicationProtocolConfig HTTP_2 =
      new ApplicationProtocolConfig(
          Protocol.ALPN,
          SelectorFailureBehavior.NO_ADVERTISE,
          SelectedListenerFailureBehavior.ACCEPT,
          ApplicationProtocolNames.HTTP_2);

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
    return context(new CurrentKey(own), new MemberCheck(own, any -> {}), false, clientAuth);
  }

  /** Returns the context of a listener for members of one role and nobody else. */
  public static SslContext server(IdentitySource own, Role clients) {
    return context(
        new CurrentKey(own), new MemberCheck(own, ofRole(clients)), false, ClientAuth.REQUIRE);
  }

  /** Returns the context of connections to members of one role. */
  public static SslContext client(IdentitySource own, Role expectedPeer) {
    return context(
        new CurrentKey(own), new MemberCheck(own, ofRole(expectedPeer)), true, ClientAuth.NONE);
  }

  /**
   * Returns the context of connections to one member.
   *
   * @param expectedPeer whether a certificate of this cluster is that member's
   */
  public static SslContext client(IdentitySource own, Predicate<X509Certificate> expectedPeer) {
    return context(
        new CurrentKey(own),
        new MemberCheck(
            own,
            leaf -> {
              if (!expectedPeer.test(leaf)) {
                throw new CertificateException(
                    "peer is " + SpiffeId.of(leaf) + ", or has another key than was expected");
              }
            }),
        true,
        ClientAuth.NONE);
  }

  /**
   * Returns whose certificate this is, after the checks that a handshake makes of a server's.
   *
   * @param chain the leaf, and at most the root after it
   * @throws CertificateException if it is not one of this root, or not valid now
   */
  public static SpiffeId verify(List<X509Certificate> chain, X509Certificate root)
      throws CertificateException {
    return PeerCheck.verify(chain.toArray(X509Certificate[]::new), root, PeerCheck.AS_SERVER);
  }

  private static MemberCheck.Expectation ofRole(Role expected) {
    return leaf -> {
      SpiffeId id = SpiffeId.of(leaf);
      if (id.role() != expected) {
        throw new CertificateException(
            "peer is " + id + " (expected role: " + expected.segment() + ")");
      }
    };
  }

  /**
   * Returns the context of a newcomer's connection to the coordinator. It presents no certificate.
   * The handshake fails with a {@link PinMismatchException} among its causes if the coordinator is
   * of another cluster.
   *
   * @param rootPin from the {@link dev.cloister.identity.token.JoinToken}
   */
  public static SslContext enrolling(byte[] rootPin) {
    return context(null, new PinnedCheck(rootPin), true, ClientAuth.NONE);
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

  /**
   * Wraps the platform's context instead of asking Netty's builder, which would probe the platform
   * with a key of its own first and load the BouncyCastle provider to read that.
   */
  private static SslContext context(
      @Nullable CurrentKey key, PeerCheck check, boolean isClient, ClientAuth clientAuth) {
    try {
      SSLContext platform = SSLContext.getInstance(TLS_1_3);
      platform.init(key == null ? null : new KeyManager[] {key}, new TrustManager[] {check}, null);
      platform.getServerSessionContext().setSessionTimeout(NO_TICKETS_SECONDS);
      return new JdkSslContext(
          platform,
          isClient,
          List.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"),
          IdentityCipherSuiteFilter.INSTANCE,
          HTTP_2,
          clientAuth,
          new String[] {TLS_1_3},
          false);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the Java platform has no TLS 1.3", e);
    }
  }
}
