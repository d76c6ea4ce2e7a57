package dev.cloister.agent.stage;

import com.google.protobuf.ByteString;
import dev.cloister.agent.transfer.PieceSender;
import dev.cloister.proto.peer.v1.EchoRequest;
import dev.cloister.proto.peer.v1.EchoResponse;
import dev.cloister.proto.peer.v1.FetchPieceRequest;
import dev.cloister.proto.peer.v1.PeerServiceGrpc;
import dev.cloister.proto.peer.v1.PieceChunk;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;

/** What agents offer each other beside {@link StageStream}. May block. */
final class PeerGrpc extends PeerServiceGrpc.PeerServiceImplBase {
  private static final int MAX_ECHO_BYTES = 4 << 20;

  private final PieceSender pieces;

  PeerGrpc(PieceSender pieces) {
    this.pieces = pieces;
  }

  @Override
  public void fetchPiece(FetchPieceRequest request, StreamObserver<PieceChunk> response) {
    pieces.send(request, response);
  }

  @Override
  public void echo(EchoRequest request, StreamObserver<EchoResponse> response) {
    // Unsigned on the wire.
    if (Integer.compareUnsigned(request.getResponseBytes(), MAX_ECHO_BYTES) > 0
        || request.getPayload().size() > MAX_ECHO_BYTES) {
      response.onError(
          Status.INVALID_ARGUMENT
              .withDescription("an echo is longer than " + MAX_ECHO_BYTES + " bytes")
              .asRuntimeException());
      return;
    }
    response.onNext(
        EchoResponse.newBuilder()
            .setPayload(ByteString.copyFrom(new byte[request.getResponseBytes()]))
            .build());
    response.onCompleted();
  }
}
