package dev.cloister.coordinator.api;

import com.google.protobuf.ByteString;
import dev.cloister.coordinator.relay.Half;
import dev.cloister.coordinator.relay.Relay;
import dev.cloister.coordinator.relay.Relays;
import dev.cloister.identity.SpiffeId;
import dev.cloister.identity.ticket.InvalidTicketException;
import dev.cloister.proto.peer.v1.EchoRequest;
import dev.cloister.proto.peer.v1.EchoResponse;
import dev.cloister.proto.relay.v1.RelayServiceGrpc;
import io.grpc.BindableService;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.InputStream;
import java.security.cert.X509Certificate;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The two halves of streams between agents, with messages that are not parsed. */
final class RelayGrpc implements BindableService {
  private static final Logger log = LoggerFactory.getLogger(RelayGrpc.class);
  private static final Metadata.Key<byte[]> TICKET =
      Metadata.Key.of("cloister-ticket-bin", Metadata.BINARY_BYTE_MARSHALLER);
  private static final MethodDescriptor<InputStream, InputStream> SEND =
      RelayServiceGrpc.getSendMethod().toBuilder(new Unread(), new Unread()).build();
  private static final MethodDescriptor<InputStream, InputStream> RECEIVE =
      RelayServiceGrpc.getReceiveMethod().toBuilder(new Unread(), new Unread()).build();

  private static final int MAX_ECHO_BYTES = 4 << 20;

  private final Relays relays;

  RelayGrpc(Relays relays) {
    this.relays = relays;
  }

  /** Messages as the bytes they are, for as long as they are being handled. */
  private static final class Unread implements MethodDescriptor.Marshaller<InputStream> {
    @Override
    public InputStream stream(InputStream message) {
      return message;
    }

    @Override
    public InputStream parse(InputStream received) {
      return received;
    }
  }

  @Override
  public ServerServiceDefinition bindService() {
    return ServerServiceDefinition.builder(RelayServiceGrpc.SERVICE_NAME)
        .addMethod(
            SEND,
            (call, headers) -> {
              Sender half = new Sender(call);
              return admit(headers, half, (ticket, shown) -> relays.send(ticket, shown, half));
            })
        .addMethod(
            RECEIVE,
            (call, headers) -> {
              Receiver half = new Receiver(call);
              return admit(headers, half, (ticket, shown) -> relays.receive(ticket, shown, half));
            })
        .addMethod(RelayServiceGrpc.getEchoMethod(), ServerCalls.asyncUnaryCall(RelayGrpc::echo))
        .build();
  }

  private static void echo(EchoRequest request, StreamObserver<EchoResponse> response) {
    // Unsigned on the wire.
    if (Integer.compareUnsigned(request.getResponseBytes(), MAX_ECHO_BYTES) > 0
        || request.getPayload().size() > MAX_ECHO_BYTES) {
      throw Status.INVALID_ARGUMENT
          .withDescription("an echo is longer than " + MAX_ECHO_BYTES + " bytes")
          .asRuntimeException();
    }
    response.onNext(
        EchoResponse.newBuilder()
            .setPayload(ByteString.copyFrom(new byte[request.getResponseBytes()]))
            .build());
    response.onCompleted();
  }

  /** Finds the stream that a half belongs to. */
  private interface Admission {
    Relay admit(byte[] signedTicket, X509Certificate certificate);
  }

  private static ServerCall.Listener<InputStream> admit(
      Metadata headers, Call half, Admission relays) {
    X509Certificate certificate = AccessInterceptor.certificate();
    byte @Nullable [] ticket = headers.get(TICKET);
    try {
      if (ticket == null) {
        throw new InvalidTicketException("the stream has no ticket");
      }
      return new Passing(relays.admit(ticket, certificate), half);
    } catch (InvalidTicketException e) {
      log.warn("a stream of {} was refused: {}", SpiffeId.of(certificate), e.getMessage());
      half.close(Status.PERMISSION_DENIED.withDescription(e.getMessage()));
      return new ServerCall.Listener<>() {};
    }
  }

  /** What the agent of a half does. */
  private static final class Passing extends ServerCall.Listener<InputStream> {
    private final Relay relay;
    private final Call half;

    Passing(Relay relay, Call half) {
      this.relay = relay;
      this.half = half;
    }

    @Override
    public void onMessage(InputStream piece) {
      if (half instanceof Sender) {
        relay.pass(piece);
      }
    }

    @Override
    public void onReady() {
      relay.ready();
    }

    @Override
    public void onHalfClose() {
      if (half instanceof Sender) {
        var _ = relay.end("the stage before ended its stream");
      }
    }

    @Override
    public void onCancel() {
      half.closed.set(true);
      var _ = relay.end("the other agent ended its half");
    }
  }

  /** The call of one half. */
  private abstract static sealed class Call {
    final ServerCall<InputStream, InputStream> call;
    final AtomicBoolean closed = new AtomicBoolean();

    Call(ServerCall<InputStream, InputStream> call) {
      this.call = call;
    }

    final void close(Status status) {
      if (closed.compareAndSet(false, true)) {
        call.close(status, new Metadata());
      }
    }
  }

  private static final class Sender extends Call implements Half.Sender {
    Sender(ServerCall<InputStream, InputStream> call) {
      super(call);
    }

    @Override
    public void end(String reason) {
      close(Status.UNAVAILABLE.withDescription(reason));
    }

    @Override
    public void request(int pieces) {
      call.request(pieces);
    }
  }

  private static final class Receiver extends Call implements Half.Receiver {
    private boolean begun;

    Receiver(ServerCall<InputStream, InputStream> call) {
      super(call);
    }

    @Override
    public void end(String reason) {
      close(Status.UNAVAILABLE.withDescription(reason));
    }

    @Override
    public boolean isReady() {
      if (!begun) {
        begun = true;
        call.sendHeaders(new Metadata());
        // The request, which says nothing.
        call.request(1);
      }
      return call.isReady();
    }

    @Override
    public void send(InputStream piece) {
      call.sendMessage(piece);
    }
  }
}
