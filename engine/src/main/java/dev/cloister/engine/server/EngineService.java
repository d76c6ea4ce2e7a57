package dev.cloister.engine.server;

import com.google.common.primitives.Floats;
import com.google.common.primitives.Ints;
import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.ModelFacts;
import dev.cloister.engine.generation.PrefixNews;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.stage.RingStage;
import dev.cloister.proto.engine.v1.DetokenizeRequest;
import dev.cloister.proto.engine.v1.DetokenizeResponse;
import dev.cloister.proto.engine.v1.EmbedRequest;
import dev.cloister.proto.engine.v1.EmbedResponse;
import dev.cloister.proto.engine.v1.Embedding;
import dev.cloister.proto.engine.v1.EngineServiceGrpc;
import dev.cloister.proto.engine.v1.GenerateRequest;
import dev.cloister.proto.engine.v1.LoadFailure;
import dev.cloister.proto.engine.v1.Loading;
import dev.cloister.proto.engine.v1.ModelState;
import dev.cloister.proto.engine.v1.Ready;
import dev.cloister.proto.engine.v1.RerankRequest;
import dev.cloister.proto.engine.v1.RerankResponse;
import dev.cloister.proto.engine.v1.Staged;
import dev.cloister.proto.engine.v1.TokenizeRequest;
import dev.cloister.proto.engine.v1.TokenizeResponse;
import dev.cloister.proto.engine.v1.WatchModelRequest;
import dev.cloister.proto.engine.v1.WatchPrefixesRequest;
import dev.cloister.proto.inference.v1.GenerationEvent;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The calls of the contract, on a model that may still be loading. Never blocks its caller. */
final class EngineService extends EngineServiceGrpc.EngineServiceImplBase {

  private static final Logger log = LoggerFactory.getLogger(EngineService.class);

  private static final double LEAST_STEP = 0.01;
  private static final ModelState STAGED =
      ModelState.newBuilder().setStaged(Staged.getDefaultInstance()).build();

  private final CompletableFuture<LoadedModel> loading;
  private final Set<Watcher> watchers = ConcurrentHashMap.newKeySet();
  private volatile double progress;

  /** What became of loading; guarded by this. */
  private @Nullable ModelState outcome;

  /** A future that fails does so with one sentence as its exception's message. */
  EngineService(CompletableFuture<LoadedModel> loading) {
    this.loading = loading;
    var _ =
        loading.whenComplete(
            (model, failure) -> {
              if (failure != null) {
                tell(failed(String.valueOf(failure.getMessage())));
              } else if (model instanceof RingStage stage) {
                tell(STAGED);
                stage.onClosed(closed -> tell(closed ? ready(model.facts()) : STAGED));
              } else {
                tell(ready(model.facts()));
              }
            });
  }

  private synchronized void tell(ModelState state) {
    outcome = state;
    watchers.forEach(watcher -> watcher.tell(state));
  }

  @Override
  public void watchModel(WatchModelRequest request, StreamObserver<ModelState> observer) {
    Watcher watcher = new Watcher((ServerCallStreamObserver<ModelState>) observer);
    watcher.call.setOnCancelHandler(() -> watchers.remove(watcher));
    synchronized (this) {
      watchers.add(watcher);
      watcher.tell(loadingState(progress));
      if (outcome != null) {
        watcher.tell(outcome);
      }
    }
  }

  /** Tells all watchers how much is loaded, in steps that can be seen. */
  void loading(double part) {
    if (part >= progress + LEAST_STEP) {
      progress = part;
      ModelState state = loadingState(part);
      watchers.forEach(watcher -> watcher.tell(state));
    }
  }

  private static ModelState loadingState(double part) {
    return ModelState.newBuilder()
        .setLoading(Loading.newBuilder().setProgress((float) part))
        .build();
  }

  /** Hears from several threads: the one that loads, that of a stage, that of its connection. */
  private record Watcher(ServerCallStreamObserver<ModelState> call) {
    synchronized void tell(ModelState state) {
      if (!call.isCancelled()) {
        call.onNext(state);
        if (state.hasFailed()) {
          call.onCompleted();
        }
      }
    }
  }

  @Override
  public void generate(GenerateRequest request, StreamObserver<GenerationEvent> observer) {
    if (loading.state() != CompletableFuture.State.SUCCESS) {
      observer.onError(notReady());
      return;
    }
    EventStream events = new EventStream((ServerCallStreamObserver<GenerationEvent>) observer);
    Generation generation;
    try {
      generation = Requests.generation(request);
    } catch (IllegalArgumentException e) {
      events.failed(
          new RequestException(FailureCode.INVALID_REQUEST, String.valueOf(e.getMessage())));
      return;
    }
    events.follow(loading.resultNow().generate(generation, events));
  }

  @Override
  public void watchPrefixes(
      WatchPrefixesRequest request,
      StreamObserver<dev.cloister.proto.inference.v1.PrefixNews> observer) {
    if (loading.state() != CompletableFuture.State.SUCCESS) {
      observer.onError(notReady());
      return;
    }
    var call = (ServerCallStreamObserver<dev.cloister.proto.inference.v1.PrefixNews>) observer;
    call.setOnCancelHandler(() -> {});
    loading
        .resultNow()
        .watchPrefixes(
            news -> {
              if (!call.isCancelled()) {
                call.onNext(toWire(news));
              }
            });
  }

  private static dev.cloister.proto.inference.v1.PrefixNews toWire(PrefixNews news) {
    return dev.cloister.proto.inference.v1.PrefixNews.newBuilder()
        .setWhole(news.whole())
        .addAllHeld(news.held())
        .addAllTokens(news.tokens())
        .addAllDropped(news.dropped())
        .build();
  }

  @Override
  public void embed(EmbedRequest request, StreamObserver<EmbedResponse> observer) {
    answer(
        observer,
        model -> {
          var embeddings = model.embed(request.getTextsList());
          EmbedResponse.Builder response =
              EmbedResponse.newBuilder().setPromptTokens(embeddings.promptTokens());
          for (float[] vector : embeddings.vectors()) {
            response.addEmbeddings(Embedding.newBuilder().addAllValues(Floats.asList(vector)));
          }
          return response.build();
        });
  }

  @Override
  public void rerank(RerankRequest request, StreamObserver<RerankResponse> observer) {
    answer(
        observer,
        model -> {
          var scores = model.rerank(request.getQuery(), request.getDocumentsList());
          return RerankResponse.newBuilder()
              .addAllScores(scores.values())
              .setPromptTokens(scores.promptTokens())
              .build();
        });
  }

  @Override
  public void tokenize(TokenizeRequest request, StreamObserver<TokenizeResponse> observer) {
    answer(
        observer,
        model ->
            TokenizeResponse.newBuilder()
                .addAllTokens(
                    Ints.asList(
                        model.tokenize(
                            request.getText(), request.getAddSpecial(), request.getParseSpecial())))
                .build());
  }

  @Override
  public void detokenize(DetokenizeRequest request, StreamObserver<DetokenizeResponse> observer) {
    answer(
        observer,
        model ->
            DetokenizeResponse.newBuilder()
                .setText(model.detokenize(Ints.toArray(request.getTokensList())))
                .build());
  }

  private interface Answer<T> {
    T from(LoadedModel model) throws RequestException;
  }

  /** On a thread of its own: these calls wait for the model, and must not hold up the others. */
  private <T> void answer(StreamObserver<T> observer, Answer<T> answer) {
    if (loading.state() != CompletableFuture.State.SUCCESS) {
      observer.onError(notReady());
      return;
    }
    // Without a handler, a caller that went away would turn the answer into an exception.
    ((ServerCallStreamObserver<T>) observer).setOnCancelHandler(() -> {});
    Thread.ofVirtual()
        .name("answer")
        .start(
            () -> {
              try {
                T response = answer.from(loading.resultNow());
                observer.onNext(response);
                observer.onCompleted();
              } catch (RequestException e) {
                observer.onError(status(e.code()).withDescription(e.getMessage()).asException());
              } catch (RuntimeException | Error e) {
                log.debug("request failed", e);
                observer.onError(
                    Status.INTERNAL.withDescription("the engine failed").asException());
              }
            });
  }

  private static Status status(FailureCode code) {
    return switch (code) {
      case INVALID_REQUEST, CONTEXT_LENGTH_EXCEEDED -> Status.INVALID_ARGUMENT;
      case UNSUPPORTED -> Status.FAILED_PRECONDITION;
      case NO_CAPACITY -> Status.RESOURCE_EXHAUSTED;
      case STAGE_LOST -> Status.UNAVAILABLE;
      case INTERNAL -> Status.INTERNAL;
    };
  }

  private static StatusRuntimeException notReady() {
    return Status.UNAVAILABLE.withDescription("the model is not ready").asRuntimeException();
  }

  private static ModelState ready(ModelFacts facts) {
    return ModelState.newBuilder()
        .setReady(
            Ready.newBuilder()
                .setContextTokens(facts.contextTokens())
                .setSlots(facts.slots())
                .setEngine(facts.engine())
                .setFull(facts.full())
                .setGenerates(facts.uses().contains(ModelFacts.Use.GENERATE))
                .setEmbeds(facts.uses().contains(ModelFacts.Use.EMBED))
                .setReranks(facts.uses().contains(ModelFacts.Use.RERANK)))
        .build();
  }

  private static ModelState failed(String message) {
    return ModelState.newBuilder().setFailed(LoadFailure.newBuilder().setMessage(message)).build();
  }
}
