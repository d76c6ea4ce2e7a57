package dev.cloister.agent.transfer;

import com.google.protobuf.UnsafeByteOperations;
import dev.cloister.agent.modelstore.LocalPieces;
import dev.cloister.proto.peer.v1.FetchPieceRequest;
import dev.cloister.proto.peer.v1.PieceChunk;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers {@code PeerService.FetchPiece} with what is on this machine. Thread-safe. */
public final class PieceSender {
  private static final Logger log = LoggerFactory.getLogger(PieceSender.class);

  /** Large enough that framing costs nothing, small enough for gRPC's default message limit. */
  private static final int CHUNK_BYTES = 1 << 20;

  private final LocalPieces pieces;
  private final Set<String> shared = ConcurrentHashMap.newKeySet();

  public PieceSender(LocalPieces pieces) {
    this.pieces = pieces;
  }

  /** Says whether other agents may have a model's files from here. Without a word they may not. */
  public void share(String modelSha256, boolean may) {
    if (may) {
      shared.add(modelSha256);
    } else {
      shared.remove(modelSha256);
    }
  }

  /**
   * Sends a piece as fast as the receiver takes it, or says that it is not here; {@code reply} is
   * the one of a server.
   */
  public void send(FetchPieceRequest request, StreamObserver<PieceChunk> reply) {
    if (request.getLength() <= 0 || request.getOffset() < 0 || request.getModelOffset() < 0) {
      reply.onError(
          Status.INVALID_ARGUMENT
              .withDescription("that is no range (expected: a length of 1 or more)")
              .asRuntimeException());
      return;
    }
    try {
      Optional<LocalPieces.Place> place = place(request);
      if (place.isEmpty()) {
        reply.onError(notHere());
        return;
      }
      Transfer transfer =
          new Transfer(
              FileChannel.open(place.get().file()),
              place.get().offset(),
              place.get().offset() + place.get().length(),
              (ServerCallStreamObserver<PieceChunk>) reply);
      transfer.reply.setOnReadyHandler(transfer::sendWhileReady);
      transfer.reply.setOnCancelHandler(transfer::close);
    } catch (IllegalArgumentException e) {
      reply.onError(Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException());
    } catch (IOException e) {
      log.debug("a piece cannot be read", e);
      reply.onError(notHere());
    }
  }

  private Optional<LocalPieces.Place> place(FetchPieceRequest request) throws IOException {
    Optional<LocalPieces.Place> piece =
        pieces
            .find(request.getSha256())
            .flatMap(place -> place.part(request.getOffset(), request.getLength()));
    Optional<LocalPieces.Place> place =
        piece.isPresent()
            ? piece
            : pieces
                .find(request.getModelSha256())
                .flatMap(model -> model.part(request.getModelOffset(), request.getLength()));
    return place.filter(_ -> shared.contains(request.getModelSha256()));
  }

  private static StatusRuntimeException notHere() {
    return Status.NOT_FOUND.withDescription("the piece is not here").asRuntimeException();
  }

  /** gRPC never runs two handlers of a call at once. */
  private static final class Transfer {
    private final FileChannel file;
    private final long end;
    private final ServerCallStreamObserver<PieceChunk> reply;
    private long position;
    private boolean over;

    Transfer(
        FileChannel file, long position, long end, ServerCallStreamObserver<PieceChunk> reply) {
      this.file = file;
      this.position = position;
      this.end = end;
      this.reply = reply;
    }

    private void sendWhileReady() {
      try {
        while (!over && reply.isReady()) {
          if (position == end) {
            close();
            reply.onCompleted();
            return;
          }
          // A fresh buffer for each chunk: gRPC keeps it until it is on the wire.
          ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, end - position));
          if (file.read(chunk, position) < 0) {
            close();
            reply.onError(notHere());
            return;
          }
          position += chunk.position();
          reply.onNext(
              PieceChunk.newBuilder()
                  .setData(UnsafeByteOperations.unsafeWrap(chunk.flip()))
                  .build());
        }
      } catch (IOException e) {
        log.debug("a piece cannot be read", e);
        close();
        reply.onError(notHere());
      }
    }

    private void close() {
      over = true;
      try {
        file.close();
      } catch (IOException e) {
        log.debug("closing a file", e);
      }
    }
  }
}
