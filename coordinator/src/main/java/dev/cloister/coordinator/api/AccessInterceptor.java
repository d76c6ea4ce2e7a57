package dev.cloister.coordinator.api;

import dev.cloister.coordinator.identity.AccessTable;
import dev.cloister.identity.SpiffeId;
import dev.cloister.identity.tls.ClusterTls;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.security.cert.X509Certificate;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Refuses every call that the {@link AccessTable} does not allow to the role in the caller's
 * certificate, and tells the services who calls.
 */
final class AccessInterceptor implements ServerInterceptor {
  private static final Logger log = LoggerFactory.getLogger(AccessInterceptor.class);
  private static final Context.Key<SpiffeId> CALLER = Context.key("cloister-caller");
  private static final Context.Key<SSLSession> SESSION = Context.key("cloister-session");

  /** Who makes the current call; only for methods that want a certificate. */
  static SpiffeId caller() {
    @Nullable SpiffeId caller = CALLER.get();
    if (caller == null) {
      throw new IllegalStateException("called by somebody without a certificate");
    }
    return caller;
  }

  /** The certificate that the caller of the current call showed; as {@link #caller}. */
  static X509Certificate certificate() {
    @Nullable SSLSession session = SESSION.get();
    try {
      if (session != null && session.getPeerCertificates()[0] instanceof X509Certificate leaf) {
        return leaf;
      }
    } catch (SSLPeerUnverifiedException e) {
      throw new IllegalStateException("called by somebody without a certificate", e);
    }
    throw new IllegalStateException("called by somebody without a certificate");
  }

  @Override
  public <Q, S> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
    @Nullable SSLSession session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
    Optional<SpiffeId> caller = session == null ? Optional.empty() : ClusterTls.peer(session);
    String method = call.getMethodDescriptor().getFullMethodName();
    if (!AccessTable.allows(method, caller.map(SpiffeId::role))) {
      log.warn("{} was refused to {}", method, caller.map(SpiffeId::toString).orElse("a stranger"));
      call.close(
          caller.isEmpty()
              ? Status.UNAUTHENTICATED.withDescription("this call wants a client certificate")
              : Status.PERMISSION_DENIED.withDescription(
                  "role " + caller.get().role().segment() + " may not call " + method),
          new Metadata());
      return new ServerCall.Listener<>() {};
    }
    if (caller.isEmpty() || session == null) {
      return next.startCall(call, headers);
    }
    return Contexts.interceptCall(
        Context.current().withValues(CALLER, caller.get(), SESSION, session), call, headers, next);
  }
}
