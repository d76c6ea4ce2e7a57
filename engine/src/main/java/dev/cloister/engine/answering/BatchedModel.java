package dev.cloister.engine.answering;

import dev.cloister.engine.batching.Batcher;
import dev.cloister.engine.batching.TokenRequest;
import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.ModelFacts;
import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.generation.PrefixNews;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.generation.StopSequences;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.model.ContextOptions;
import dev.cloister.engine.model.Model;
import dev.cloister.engine.model.Pooling;
import dev.cloister.engine.model.StagePart;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model that answers through a {@link Batcher}, and makes embeddings and scores in a context of
 * their own, which is opened when it is first wanted. Thread-safe.
 */
public final class BatchedModel implements LoadedModel {
  private static final Logger log = LoggerFactory.getLogger(BatchedModel.class);
  private static final int MOST_TEXTS = 2048;
  private static final int MOST_EMBEDDED_AT_ONCE = 64;

  private final Model model;
  private final ModelFacts facts;
  private final @Nullable Batcher batcher;
  private final ContextOptions embedding;
  private final PromptWriter prompts;
  private @Nullable Embedder embedder;
  private boolean closed;

  /**
   * Takes over a loaded model and what makes its tokens.
   *
   * @param batcher null for a model that does not generate
   * @param embedding the context for embeddings and scores: {@link #embeddingContext}
   * @param template the Jinja text of the model's chat template; empty if it has none
   */
  public BatchedModel(
      Model model,
      ModelFacts facts,
      @Nullable Batcher batcher,
      ContextOptions embedding,
      String template,
      Clock clock) {
    this.model = model;
    this.facts = facts;
    this.batcher = batcher;
    this.embedding = embedding;
    this.prompts = new PromptWriter(model.vocabulary(), template, clock);
  }

  /**
   * Options of the context that {@link #embed} and {@link #rerank} use. A model that generates
   * takes long texts in pieces; others see a text as a whole, though its memory grows with its
   * square.
   */
  public static ContextOptions embeddingContext(ContextOptions generation, int contextTokens) {
    boolean generates = generation.pooling() == Pooling.NONE;
    Pooling pooling = generates ? Pooling.MEAN : generation.pooling();
    return new ContextOptions(
        contextTokens,
        contextTokens,
        MOST_EMBEDDED_AT_ONCE,
        generates ? Math.min(contextTokens, generation.batchTokens()) : contextTokens,
        generation.threads(),
        generation.batchThreads(),
        ContextOptions.KvType.F16,
        generation.flashAttention(),
        generation.kvOnGpu(),
        pooling);
  }

  @Override
  public ModelFacts facts() {
    return facts;
  }

  @Override
  public CompletableFuture<Void> broken() {
    return batcher == null ? LoadedModel.super.broken() : batcher.broken();
  }

  @Override
  public void watchPrefixes(Consumer<PrefixNews> listener) {
    if (batcher != null) {
      batcher.watchPrefixes(listener);
    }
  }

  @Override
  public Running generate(Generation generation, GenerationListener listener) {
    if (batcher == null) {
      listener.failed(
          new RequestException(
              FailureCode.UNSUPPORTED,
              "model",
              "this model makes embeddings or scores and does not answer"));
      return () -> {};
    }
    Answer answer = new Answer(generation, listener, batcher);
    // Long prompts take a while to become tokens, and the caller must not wait for them.
    Thread.ofVirtual().name("prompt").start(answer);
    return answer;
  }

  /** A request from its beginning: first its prompt is written, then it belongs to the batcher. */
  private final class Answer implements Running, Runnable {
    private final Generation generation;
    private final GenerationListener listener;
    private final Batcher batcher;
    private @Nullable Running running;
    private boolean cancelled;

    Answer(Generation generation, GenerationListener listener, Batcher batcher) {
      this.generation = generation;
      this.listener = listener;
      this.batcher = batcher;
    }

    @Override
    public void run() {
      try {
        PromptWriter.Written written = prompts.write(generation);
        requireRoom(written.tokens().length);
        requireKnown(generation.sampling().logitBias().keySet());
        submit(written);
      } catch (RequestException e) {
        listener.failed(e);
      } catch (RuntimeException | Error e) {
        // Errors too: what nests deeply overflows the stack, and its caller waits for an answer.
        log.warn("a prompt could not be written: {}", e.getClass().getName());
        log.debug("a prompt could not be written", e);
        listener.failed(
            new RequestException(
                FailureCode.INTERNAL, "the engine failed on this prompt; see its log"));
      }
    }

    private void requireRoom(int promptTokens) throws RequestException {
      if (promptTokens >= facts.contextTokens()) {
        throw new RequestException(
            FailureCode.CONTEXT_LENGTH_EXCEEDED,
            "prompt",
            "the prompt has %d tokens, and the context of %d tokens must hold it and an answer; shorten it"
                .formatted(promptTokens, facts.contextTokens()));
      }
      if (promptTokens == 0) {
        throw new RequestException(
            FailureCode.INVALID_REQUEST,
            "prompt",
            "the prompt has no tokens (expected: at least one)");
      }
    }

    private void requireKnown(Set<Integer> biased) throws RequestException {
      int tokens = model.vocabulary().size();
      for (int token : biased) {
        if (token < 0 || token >= tokens) {
          throw new RequestException(
              FailureCode.INVALID_REQUEST,
              "logit_bias",
              "logit_bias: token %s (expected: 0 to %d)"
                  .formatted(Integer.toUnsignedString(token), tokens - 1));
        }
      }
    }

    private void submit(PromptWriter.Written written) throws RequestException {
      int[] resumed =
          generation.beginning().tokens().stream().mapToInt(Integer::intValue).toArray();
      AnswerStream stream =
          new AnswerStream(
              model.vocabulary(), written.parser(), new StopSequences(generation.stop()), listener);
      FinishReason end = resume(stream, written.tokens().length);
      if (end != null) {
        int prompt = written.tokens().length;
        stream.started(prompt, prompt);
        stream.finished(end, new Usage(prompt, prompt, resumed.length));
        return;
      }
      TokenRequest request =
          new TokenRequest(
              written.tokens(),
              resumed,
              generation.sampling(),
              written.grammar(),
              generation.maxTokens(),
              generation.topLogprobs(),
              generation.tenant(),
              generation.marks());
      synchronized (this) {
        if (!cancelled) {
          running = batcher.submit(request, stream);
          return;
        }
      }
      listener.finished(FinishReason.CANCELLED, new Usage(written.tokens().length, 0, 0));
    }

    /** Why the answer has ended with what was made of it before; null where it goes on. */
    private @Nullable FinishReason resume(AnswerStream stream, int promptTokens)
        throws RequestException {
      if (generation.beginning().isEmpty()) {
        return null;
      }
      if (!stream.resume(generation.beginning())) {
        return FinishReason.STOP;
      }
      int resumed = generation.beginning().tokens().size();
      boolean last =
          resumed == generation.maxTokens() || promptTokens + resumed >= facts.contextTokens();
      return last ? FinishReason.LENGTH : null;
    }

    @Override
    public synchronized void cancel() {
      cancelled = true;
      if (running != null) {
        running.cancel();
      }
    }

    @Override
    public synchronized void resume() {
      if (running != null) {
        running.resume();
      }
    }
  }

  @Override
  public Embeddings embed(List<String> texts) throws RequestException {
    requireWhole();
    if (!facts.uses().contains(ModelFacts.Use.EMBED)) {
      throw new RequestException(FailureCode.UNSUPPORTED, "this model makes no embeddings");
    }
    List<int[]> tokens = new ArrayList<>(texts.size());
    for (String text : texts) {
      tokens.add(model.vocabulary().tokenize(text, true, false));
    }
    requireEmbeddable("input", tokens);
    return Embedder.normalized(embedder().embed(tokens), total(tokens));
  }

  @Override
  public Scores rerank(String query, List<String> documents) throws RequestException {
    requireWhole();
    if (!facts.uses().contains(ModelFacts.Use.RERANK)) {
      throw new RequestException(FailureCode.UNSUPPORTED, "this model has no ranking head");
    }
    List<int[]> pairs = new ArrayList<>(documents.size());
    for (String document : documents) {
      pairs.add(model.vocabulary().tokenizePair(query, document));
    }
    requireEmbeddable("documents", pairs);
    List<Float> scores = embedder().embed(pairs).stream().map(score -> score[0]).toList();
    return new Scores(scores, total(pairs));
  }

  private void requireWhole() throws RequestException {
    if (model.part() != StagePart.WHOLE) {
      throw new RequestException(
          FailureCode.UNSUPPORTED,
          "a model whose layers are spread over machines makes no embeddings and scores; have it"
              + " run whole for them: --split never");
    }
  }

  private void requireEmbeddable(String name, List<int[]> texts) throws RequestException {
    if (texts.isEmpty() || texts.size() > MOST_TEXTS) {
      throw new RequestException(
          FailureCode.INVALID_REQUEST,
          "%s: %d texts (expected: 1 to %d)".formatted(name, texts.size(), MOST_TEXTS));
    }
    for (int i = 0; i < texts.size(); i++) {
      int length = texts.get(i).length;
      if (length == 0) {
        throw new RequestException(
            FailureCode.INVALID_REQUEST, "%s: text %d is empty".formatted(name, i + 1));
      }
      if (length > facts.contextTokens()) {
        throw new RequestException(
            FailureCode.CONTEXT_LENGTH_EXCEEDED,
            "%s: text %d has %d tokens (expected: at most %d); shorten it"
                .formatted(name, i + 1, length, facts.contextTokens()));
      }
    }
  }

  private static int total(List<int[]> texts) {
    return texts.stream().mapToInt(text -> text.length).sum();
  }

  private synchronized Embedder embedder() throws RequestException {
    if (closed) {
      throw Embedder.unloading();
    }
    if (embedder == null) {
      try {
        embedder = new Embedder(model.openContext(embedding));
      } catch (ModelLoadException e) {
        throw new RequestException(FailureCode.INTERNAL, String.valueOf(e.getMessage()));
      }
    }
    return embedder;
  }

  @Override
  public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
    return model.vocabulary().tokenize(text, addSpecial, parseSpecial);
  }

  @Override
  public String detokenize(int[] tokens) throws RequestException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int token : tokens) {
      if (token < 0 || token >= model.vocabulary().size()) {
        throw new RequestException(
            FailureCode.INVALID_REQUEST,
            "token %s (expected: 0 to %d)"
                .formatted(Integer.toUnsignedString(token), model.vocabulary().size() - 1));
      }
      bytes.writeBytes(model.vocabulary().piece(token, true));
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  /** {@inheritDoc} A model that is still computing then is left to the end of the process. */
  @Override
  public void close() {
    if (batcher != null) {
      batcher.close();
    }
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      if (embedder != null) {
        embedder.close();
      }
    }
    if (batcher == null || batcher.ended()) {
      model.close();
    }
  }
}
