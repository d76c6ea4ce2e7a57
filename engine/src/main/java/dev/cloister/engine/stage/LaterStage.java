package dev.cloister.engine.stage;

import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.ModelFacts;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.Model;
import dev.cloister.engine.model.StagePart;
import dev.cloister.engine.stage.Step.Precision;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link Stage} behind the first one, with the thread that owns its context. It answers nobody
 * but the stage before. Thread-safe.
 */
public final class LaterStage implements LoadedModel, RingStage {
  private static final Logger log = LoggerFactory.getLogger(LaterStage.class);
  private static final long CLOSE_MILLIS = 3000;

  private final Model model;
  private final ModelFacts facts;
  private final Stage stage;
  private final LinkedBlockingQueue<Task> inbox = new LinkedBlockingQueue<>();
  private final CompletableFuture<Void> broken = new CompletableFuture<>();
  private final Thread thread;

  /** Belongs to the thread. */
  private @Nullable Link link;

  /** What the thread does next; the end of the thread if it answers false. */
  private interface Task {
    boolean run();
  }

  private final class Link implements Inlet {
    final Outlet outlet;

    Link(Outlet outlet) {
      this.outlet = outlet;
    }

    @Override
    public void give(StageFrame frame) {
      inbox.add(() -> take(this, frame));
    }

    @Override
    public void end() {
      inbox.add(() -> ended(this));
    }
  }

  private LaterStage(Model model, ModelFacts facts, Stage stage) {
    this.model = model;
    this.facts = facts;
    this.stage = stage;
    this.thread = Thread.ofPlatform().daemon().name("stage").unstarted(this::run);
  }

  /**
   * Takes over a model's later layers, and starts the thread.
   *
   * @param context of the model
   * @param precision of the hidden states it gives
   * @param shelfBytes of main memory for states that leave the KV cache
   */
  public static LaterStage start(
      Model model, ModelFacts facts, DecodeContext context, Precision precision, long shelfBytes) {
    int vocabulary = model.part() == StagePart.LAST ? model.vocabulary().size() : 0;
    Stage stage =
        new Stage(
            context,
            model.part(),
            model.properties().embeddingLength(),
            vocabulary,
            precision,
            new StageShelf(context, shelfBytes, facts.contextTokens()));
    LaterStage later = new LaterStage(model, facts, stage);
    later.thread.start();
    return later;
  }

  private void run() {
    try {
      while (inbox.take().run()) {
        // Until it is closed.
      }
    } catch (InterruptedException e) {
      log.debug("the stage thread is interrupted");
    } catch (RuntimeException | Error e) {
      log.error("the stage thread ends", e);
      broken.complete(null);
    } finally {
      stage.close();
    }
  }

  @Override
  public Inlet connect(Outlet outlet) {
    Link next = new Link(outlet);
    inbox.add(
        () -> {
          link = next;
          stage.begin();
          return true;
        });
    return next;
  }

  private boolean take(Link from, StageFrame frame) {
    if (from == link) {
      try {
        from.outlet.send(stage.take(frame));
        from.outlet.taken();
      } catch (StageException e) {
        log.warn("a frame is refused: {}", e.getMessage());
        from.outlet.refuse(e.getMessage());
        ended(from);
      }
    }
    return true;
  }

  private boolean ended(Link former) {
    if (former == link) {
      link = null;
      stage.begin();
    }
    return true;
  }

  /** {@inheritDoc} A later stage never does. */
  @Override
  public void onClosed(Consumer<Boolean> listener) {}

  @Override
  public ModelFacts facts() {
    return facts;
  }

  @Override
  public CompletableFuture<Void> broken() {
    return broken;
  }

  @Override
  public Running generate(Generation generation, GenerationListener listener) {
    listener.failed(refusal());
    return () -> {};
  }

  @Override
  public Embeddings embed(List<String> texts) throws RequestException {
    throw refusal();
  }

  @Override
  public Scores rerank(String query, List<String> documents) throws RequestException {
    throw refusal();
  }

  @Override
  public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial)
      throws RequestException {
    throw refusal();
  }

  @Override
  public String detokenize(int[] tokens) throws RequestException {
    throw refusal();
  }

  private static RequestException refusal() {
    return new RequestException(
        FailureCode.UNSUPPORTED,
        "this engine holds some layers of a model; ask the one with the first layers");
  }

  /** {@inheritDoc} A model that is still computing then is left to the end of the process. */
  @Override
  public void close() {
    inbox.add(() -> false);
    try {
      thread.join(CLOSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!thread.isAlive()) {
      model.close();
    }
  }
}
