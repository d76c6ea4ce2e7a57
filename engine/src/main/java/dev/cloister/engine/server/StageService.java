package dev.cloister.engine.server;

import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.stage.RingStage;
import dev.cloister.engine.stage.StageException;
import dev.cloister.proto.engine.v1.StageFrame;
import dev.cloister.proto.engine.v1.StageServiceGrpc;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Carries the frames of one stage, in one call at a time. Never blocks its caller. */
final class StageService extends StageServiceGrpc.StageServiceImplBase {

  /** One is computed while the next one arrives. */
  private static final int FRAMES_AHEAD = 2;

  private final CompletableFuture<LoadedModel> loading;
  private @Nullable Call current;

  StageService(CompletableFuture<LoadedModel> loading) {
    this.loading = loading;
  }

  @Override
  public StreamObserver<StageFrame> run(StreamObserver<StageFrame> observer) {
    var call = (ServerCallStreamObserver<StageFrame>) observer;
    if (loading.state() == CompletableFuture.State.SUCCESS
        && loading.resultNow() instanceof RingStage stage) {
      return begin(call, stage);
    }
    call.setOnCancelHandler(() -> {});
    call.onError(
        Status.FAILED_PRECONDITION
            .withDescription("no stage of a model is loaded here")
            .asRuntimeException());
    return new Ignored();
  }

  private synchronized Call begin(ServerCallStreamObserver<StageFrame> observer, RingStage stage) {
    if (current != null) {
      current.fail(Status.ABORTED.withDescription("another call took over"));
    }
    current = new Call(observer);
    current.begin(stage);
    return current;
  }

  /**
   * A connection of the stage. Frames come in on the thread of the socket and go out on that of the
   * stage.
   */
  private static final class Call implements StreamObserver<StageFrame>, RingStage.Outlet {
    private final ServerCallStreamObserver<StageFrame> call;
    private RingStage.@Nullable Inlet inlet;

    /** Frames that may come as soon as those sent have left. */
    private int held;

    private boolean ended;

    Call(ServerCallStreamObserver<StageFrame> call) {
      this.call = call;
    }

    void begin(RingStage stage) {
      call.disableAutoRequest();
      call.setOnCancelHandler(this::end);
      call.setOnReadyHandler(this::ready);
      inlet = stage.connect(this);
      call.request(FRAMES_AHEAD);
    }

    @Override
    public void onNext(StageFrame frame) {
      try {
        give(StageFrames.fromWire(frame));
      } catch (StageException e) {
        refuse(e.getMessage());
      }
    }

    private synchronized void give(dev.cloister.engine.stage.StageFrame frame) {
      if (inlet != null) {
        inlet.give(frame);
      }
    }

    @Override
    public void onError(Throwable failure) {
      end();
    }

    @Override
    public void onCompleted() {
      synchronized (this) {
        if (!ended) {
          ended = true;
          call.onCompleted();
        }
      }
      end();
    }

    private void end() {
      RingStage.Inlet told;
      synchronized (this) {
        ended = true;
        told = inlet;
        inlet = null;
      }
      if (told != null) {
        told.end();
      }
    }

    @Override
    public synchronized void send(dev.cloister.engine.stage.StageFrame frame) {
      if (!ended) {
        // Written into the transport's own memory before this returns.
        call.onNext(StageFrames.toWire(frame));
      }
    }

    /** What the next stage does not read must not pile up here. */
    @Override
    public synchronized void taken() {
      if (ended) {
        return;
      }
      if (call.isReady()) {
        call.request(1);
      } else {
        held++;
      }
    }

    private synchronized void ready() {
      if (held > 0 && !ended) {
        call.request(held);
        held = 0;
      }
    }

    @Override
    public void refuse(String reason) {
      fail(Status.INVALID_ARGUMENT.withDescription(reason));
    }

    void fail(Status status) {
      synchronized (this) {
        if (ended) {
          return;
        }
        ended = true;
        call.onError(status.asRuntimeException());
      }
      end();
    }
  }

  /** Reads what comes after a refusal. */
  private static final class Ignored implements StreamObserver<StageFrame> {
    @Override
    public void onNext(StageFrame frame) {}

    @Override
    public void onError(Throwable failure) {}

    @Override
    public void onCompleted() {}
  }
}
