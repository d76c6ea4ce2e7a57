package dev.cloister.agent.link;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.supervisor.Supervisor;
import dev.cloister.proto.agent.v1.HeldPrefixes;
import dev.cloister.proto.engine.v1.WatchPrefixesRequest;
import dev.cloister.proto.inference.v1.PrefixNews;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Passes on, during one session, what engines tell of the prompts they hold. Thread-safe. */
final class PrefixRelay {
  private final Supervisor supervisor;
  private final Consumer<HeldPrefixes> news;
  private final Map<String, Watch> watches = new ConcurrentHashMap<>();

  /**
   * @param news is called by many threads at once
   */
  PrefixRelay(Supervisor supervisor, Consumer<HeldPrefixes> news) {
    this.supervisor = supervisor;
    this.news = news;
  }

  /** Follows the engine that has become ready for a model, in place of the one before. */
  void watch(String model) {
    supervisor.engine(model).ifPresent(engine -> watch(model, engine));
  }

  private void watch(String model, EngineClient engine) {
    Watch watch = new Watch(model);
    @Nullable Watch before = watches.put(model, watch);
    if (before != null) {
      before.cancel();
    }
    engine.watchPrefixes(watch);
    watch.started();
  }

  /** The session is over. */
  void close() {
    watches.values().forEach(Watch::cancel);
  }

  private final class Watch implements ClientResponseObserver<WatchPrefixesRequest, PrefixNews> {
    private final String model;
    private @Nullable ClientCallStreamObserver<WatchPrefixesRequest> call;
    private boolean started;
    private volatile boolean cancelled;

    Watch(String model) {
      this.model = model;
    }

    @Override
    public synchronized void beforeStart(ClientCallStreamObserver<WatchPrefixesRequest> stream) {
      call = stream;
    }

    /** Until now gRPC would not have taken a cancellation. */
    synchronized void started() {
      started = true;
      if (cancelled) {
        cancel();
      }
    }

    synchronized void cancel() {
      cancelled = true;
      if (started && call != null) {
        call.cancel("nobody listens any more", null);
      }
    }

    @Override
    public void onNext(PrefixNews told) {
      if (!cancelled) {
        news.accept(HeldPrefixes.newBuilder().setModel(model).setNews(told).build());
      }
    }

    @Override
    public void onError(Throwable broken) {
      watches.remove(model, this);
    }

    @Override
    public void onCompleted() {
      watches.remove(model, this);
    }
  }
}
