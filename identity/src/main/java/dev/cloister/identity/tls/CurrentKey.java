package dev.cloister.identity.tls;

import dev.cloister.identity.Identity;
import dev.cloister.identity.IdentitySource;
import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Presents whatever the source holds when a handshake begins.
 *
 * <p>A handshake asks first for an alias and then, apart, for the key and the chain behind it. The
 * alias therefore names one identity, the serial number of its leaf, and the last few that were
 * handed out are kept: a renewal in between cannot pair an old key with a new certificate.
 */
final class CurrentKey extends X509ExtendedKeyManager {
  private static final String KEY_TYPE = "EC";
  private static final int KEPT = 4;

  private final IdentitySource own;
  private final Map<String, Identity> handedOut =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Identity> eldest) {
          return size() > KEPT;
        }
      };

  CurrentKey(IdentitySource own) {
    this.own = own;
  }

  @Override
  public @Nullable String chooseEngineClientAlias(
      String[] keyTypes, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
    return Arrays.asList(keyTypes).contains(KEY_TYPE) ? alias() : null;
  }

  @Override
  public @Nullable String chooseEngineServerAlias(
      String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
    return keyType.equals(KEY_TYPE) ? alias() : null;
  }

  @Override
  public @Nullable String chooseClientAlias(
      String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
    return chooseEngineClientAlias(keyTypes, issuers, null);
  }

  @Override
  public @Nullable String chooseServerAlias(
      String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
    return chooseEngineServerAlias(keyType, issuers, null);
  }

  @Override
  public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
    return keyType.equals(KEY_TYPE) ? new String[] {alias()} : null;
  }

  @Override
  public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
    return getClientAliases(keyType, issuers);
  }

  @Override
  public synchronized X509Certificate @Nullable [] getCertificateChain(String alias) {
    Identity identity = handedOut.get(alias);
    return identity == null ? null : identity.chain().toArray(X509Certificate[]::new);
  }

  @Override
  public synchronized @Nullable PrivateKey getPrivateKey(String alias) {
    Identity identity = handedOut.get(alias);
    return identity == null ? null : identity.key();
  }

  private synchronized String alias() {
    Identity identity = own.current();
    String alias = identity.leaf().getSerialNumber().toString(Character.MAX_RADIX);
    handedOut.put(alias, identity);
    return alias;
  }
}
