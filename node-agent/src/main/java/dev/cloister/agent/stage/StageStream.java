package dev.cloister.agent.stage;

import dev.cloister.agent.engine.FrameBytes;
import dev.cloister.proto.peer.v1.PeerServiceGrpc;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import java.io.InputStream;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/** The method {@code Stage} of agents, with frames that are not parsed. */
final class StageStream implements ServerCallHandler<InputStream, InputStream> {
  static final MethodDescriptor<InputStream, InputStream> METHOD =
      PeerServiceGrpc.getStageMethod().toBuilder(new FrameBytes(), new FrameBytes()).build();

  /** The caller's ticket. */
  static final Metadata.Key<byte[]> TICKET =
      Metadata.Key.of("cloister-ticket-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private final Stages stages;

  StageStream(Stages stages) {
    this.stages = stages;
  }

  @Override
  public ServerCall.Listener<InputStream> startCall(
      ServerCall<InputStream, InputStream> call, Metadata headers) {
    InboundStream stream = new InboundStream(call);
    byte @Nullable [] ticket = headers.get(TICKET);
    if (ticket == null) {
      stream.close(Status.PERMISSION_DENIED.withDescription("the stream has no ticket"));
    } else {
      X509Certificate certificate = certificate(call);
      // Signatures take a while, and this thread carries the frames of others.
      Thread.startVirtualThread(() -> stages.admit(ticket, certificate, stream));
    }
    return stream;
  }

  private static X509Certificate certificate(ServerCall<?, ?> call) {
    @Nullable SSLSession session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
    try {
      if (session != null
          && session.getPeerCertificates()[0] instanceof X509Certificate certificate) {
        return certificate;
      }
    } catch (SSLPeerUnverifiedException e) {
      throw new IllegalStateException("the listener let in a caller without certificate", e);
    }
    throw new IllegalStateException("the listener let in a caller without TLS");
  }
}
