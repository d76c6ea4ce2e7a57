package dev.cloister.engine.llamacpp.jni;

import de.kherud.llama.LlamaModel;
import de.kherud.llama.LogLevel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.LogFormat;
import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.ModelFacts;
import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.generation.prompt.AnswerFormat;
import dev.cloister.engine.generation.prompt.Prompt;
import dev.cloister.engine.llamacpp.NativeLibrary;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model run through java-llama.cpp's Java API, for platforms whose library does not export
 * llama.cpp's C API. One thread per slot hands requests over and reads their answers; llama.cpp's
 * own thread computes all of them in common batches. Text is all it offers: no tools, formats,
 * probabilities or embeddings, and no reuse of prefixes.
 */
public final class JniModel implements LoadedModel {

  static final String ENGINE = "llama.cpp b4916";

  private static final Logger log = LoggerFactory.getLogger(JniModel.class);
  private static final int WAITING_PER_SLOT = 4;
  private static final long CLOSE_MILLIS = 500;

  private final ModelFacts facts;
  private final LlamaModel model;
  private final Answering answering;
  private final ThreadPoolExecutor threads;
  private final Set<RunningGeneration> generations = ConcurrentHashMap.newKeySet();

  private JniModel(LlamaModel model, ModelFacts facts, boolean addsBeginToken) {
    this.facts = facts;
    this.model = model;
    this.answering = new Answering(model, facts.contextTokens(), addsBeginToken);
    this.threads =
        new ThreadPoolExecutor(
            facts.slots(),
            facts.slots(),
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(facts.slots() * WAITING_PER_SLOT),
            Thread.ofPlatform().daemon().name("slot-", 0).factory());
  }

  /**
   * Loads a model; takes as long as reading its file does.
   *
   * @param libraryCache where the native library is kept between processes
   * @throws ModelLoadException in one sentence; the file should have been validated, since some
   *     damaged ones make llama.cpp abort the process instead
   */
  public static JniModel load(Path file, JniOptions options, Path libraryCache)
      throws ModelLoadException {
    NativeLibrary.load(libraryCache);
    ModelFacts facts =
        new ModelFacts(
            options.contextTokens(),
            options.slots(),
            ENGINE,
            false,
            Set.of(ModelFacts.Use.GENERATE));
    AtomicReference<String> lastError = new AtomicReference<>("");
    LlamaModel.setLogger(LogFormat.TEXT, (level, line) -> keepError(level, line, lastError));
    try {
      LlamaModel model = new LlamaModel(parameters(file, options, facts));
      return new JniModel(model, facts, options.addsBeginToken());
    } catch (RuntimeException e) {
      String reason = lastError.get().isEmpty() ? "" : ": " + lastError.get();
      throw new ModelLoadException("llama.cpp cannot load %s%s".formatted(file, reason), e);
    }
  }

  private static ModelParameters parameters(Path file, JniOptions options, ModelFacts facts) {
    ModelParameters parameters =
        new ModelParameters()
            .setModel(file.toAbsolutePath().toString())
            .setCtxSize(Math.multiplyExact(facts.contextTokens(), facts.slots()))
            .setParallel(facts.slots())
            .disableContextShift()
            .enableJinja()
            .disableLog();
    return options.threads() == 0 ? parameters : parameters.setThreads(options.threads());
  }

  /** Loading tells its reasons in the log only; its first lines are the specific ones. */
  private static void keepError(LogLevel level, String line, AtomicReference<String> lastError) {
    if (level == LogLevel.ERROR && lastError.get().isEmpty()) {
      lastError.set(line.strip());
    }
  }

  @Override
  public ModelFacts facts() {
    return facts;
  }

  @Override
  public Running generate(Generation generation, GenerationListener listener) {
    Optional<RequestException> unsupported = unsupported(generation);
    if (unsupported.isPresent()) {
      listener.failed(unsupported.get());
      return () -> {};
    }
    RunningGeneration running = new RunningGeneration(generation, listener);
    generations.add(running);
    try {
      threads.execute(running);
    } catch (RejectedExecutionException e) {
      generations.remove(running);
      listener.failed(
          new RequestException(
              FailureCode.NO_CAPACITY,
              "all %d slots are busy and the queue is full; try again later"
                  .formatted(facts.slots())));
    }
    return running;
  }

  private static Optional<RequestException> unsupported(Generation generation) {
    if (!generation.beginning().isEmpty()) {
      return Optional.of(missing("", "answers that go on from another node"));
    }
    String needed = "tools, answer formats and logprobs";
    if (generation.prompt() instanceof Prompt.Chat chat && !chat.tools().isEmpty()) {
      return Optional.of(missing("tools", needed));
    }
    if (!(generation.format() instanceof AnswerFormat.Text)) {
      return Optional.of(missing(generation.format().parameter(), needed));
    }
    return generation.topLogprobs().isPresent()
        ? Optional.of(missing("logprobs", needed))
        : Optional.empty();
  }

  private static RequestException missing(String parameter, String what) {
    return new RequestException(
        FailureCode.UNSUPPORTED,
        parameter,
        what
            + " are not there with the native library of this node; install a newer one with:"
            + " cloister engine install llama.cpp");
  }

  @Override
  public Embeddings embed(List<String> texts) throws RequestException {
    throw missing("", "embeddings");
  }

  @Override
  public Scores rerank(String query, List<String> documents) throws RequestException {
    throw missing("", "rankings");
  }

  /** {@inheritDoc} Neither flag has an effect here: java-llama.cpp leaves no choice. */
  @Override
  public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
    return model.encode(text);
  }

  @Override
  public String detokenize(int[] tokens) {
    return model.decode(tokens);
  }

  /**
   * {@inheritDoc}
   *
   * <p>The native model is left to the end of the process: java-llama.cpp frees it while its own
   * thread may still compute with it.
   */
  @Override
  public void close() {
    threads.shutdown();
    generations.forEach(RunningGeneration::cancel);
    try {
      if (!threads.awaitTermination(CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
        log.warn("generations still running at close: {}", generations.size());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private final class RunningGeneration implements Running, Runnable {
    private final Generation generation;
    private final GenerationListener listener;
    private volatile boolean cancelled;

    RunningGeneration(Generation generation, GenerationListener listener) {
      this.generation = generation;
      this.listener = listener;
    }

    /** Waits while the listener wants no more; whether the generation is to go on. */
    private synchronized boolean awaitWanted() {
      try {
        while (!cancelled && !listener.ready()) {
          wait();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
      return !cancelled;
    }

    @Override
    public synchronized void resume() {
      notifyAll();
    }

    @Override
    public void cancel() {
      cancelled = true;
      resume();
      if (threads.remove(this)) {
        generations.remove(this);
        listener.finished(FinishReason.CANCELLED, new Usage(0, 0, 0));
      }
    }

    @Override
    public void run() {
      try {
        answering.answer(generation, listener, this::awaitWanted);
      } catch (RuntimeException e) {
        log.debug("generation failed", e);
        listener.failed(
            new RequestException(
                FailureCode.INTERNAL,
                "the engine failed while answering; try again, or see its log"));
      } finally {
        generations.remove(this);
      }
    }
  }
}
