package dev.cloister.identity.tls;

import dev.cloister.identity.InvalidIdentityException;
import dev.cloister.identity.SpiffeId;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Decides about a peer by its certificate alone. Host names play no part: the name that counts is
 * the SPIFFE id.
 *
 * <p>It extends the class rather than the interface because the platform would otherwise add its
 * own host name check. Validity is judged by the system clock.
 */
abstract class PeerCheck extends X509ExtendedTrustManager {
  static final String AS_SERVER = "1.3.6.1.5.5.7.3.1";
  static final String AS_CLIENT = "1.3.6.1.5.5.7.3.2";

  /** Refuses a peer that is not who it must be. */
  abstract void check(X509Certificate[] chain, String purpose) throws CertificateException;

  /**
   * Returns the name in a leaf that this root signed, that is valid now and made for the purpose.
   *
   * @param chain the leaf, and at most the root itself after it: the root signs leaves only
   */
  static SpiffeId verify(X509Certificate[] chain, X509Certificate root, String purpose)
      throws CertificateException {
    if (chain.length == 0 || chain.length > 2 || (chain.length == 2 && !chain[1].equals(root))) {
      throw new CertificateException("peer's certificate chain is not its own and this root");
    }
    X509Certificate leaf = chain[0];
    root.checkValidity();
    leaf.checkValidity();
    try {
      PKIXParameters trust = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
      trust.setRevocationEnabled(false);
      CertPathValidator.getInstance("PKIX")
          .validate(CertificateFactory.getInstance("X.509").generateCertPath(List.of(leaf)), trust);
    } catch (CertPathValidatorException e) {
      throw new CertificateException("peer's certificate is not signed by this root", e);
    } catch (GeneralSecurityException e) {
      throw new CertificateException("peer's certificate cannot be checked", e);
    }
    List<String> purposes = leaf.getExtendedKeyUsage();
    if (leaf.getBasicConstraints() >= 0 || purposes == null || !purposes.contains(purpose)) {
      throw new CertificateException("peer's certificate was not made for this use");
    }
    try {
      SpiffeId id = SpiffeId.of(leaf);
      if (!id.clusterId().equals(SpiffeId.clusterId(root))) {
        throw new CertificateException("peer is a member of another cluster: " + id);
      }
      return id;
    } catch (InvalidIdentityException e) {
      throw new CertificateException("peer's certificate names no member", e);
    }
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    check(chain, AS_SERVER);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    check(chain, AS_SERVER);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
    check(chain, AS_SERVER);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    check(chain, AS_CLIENT);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    check(chain, AS_CLIENT);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
    check(chain, AS_CLIENT);
  }

  /** Empty: a stranger need not learn which cluster this is. */
  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return new X509Certificate[0];
  }
}
