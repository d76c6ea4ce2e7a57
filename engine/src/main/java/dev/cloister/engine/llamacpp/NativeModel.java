package dev.cloister.engine.llamacpp;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.llamacpp.capi.LlamaFunctions;
import dev.cloister.engine.llamacpp.capi.LlamaVersion;
import dev.cloister.engine.llamacpp.capi.MappedPages;
import dev.cloister.engine.llamacpp.capi.NativeLog;
import dev.cloister.engine.llamacpp.capi.NativeStruct;
import dev.cloister.engine.llamacpp.stage.EmbeddingTable;
import dev.cloister.engine.llamacpp.stage.GraphStates;
import dev.cloister.engine.model.ContextOptions;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.Model;
import dev.cloister.engine.model.ModelProperties;
import dev.cloister.engine.model.Pooling;
import dev.cloister.engine.model.StagePart;
import dev.cloister.engine.model.Vocabulary;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.DoubleConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Weights in native memory. */
final class NativeModel implements Model {

  private static final Logger log = LoggerFactory.getLogger(NativeModel.class);

  private static final int MORE_LAYERS_THAN_ANY = 9999;
  private static final int SPLIT_NONE = 0;
  // Of v0.5.0's enum llama_load_mode.
  private static final int READ_WHOLE = 0;
  private static final int METADATA_BYTES = 256;

  private final LlamaFunctions llama;
  private final NativeLog nativeLog;
  private final long model;
  private final StagePart part;
  private final @Nullable Lexicon lexicon;
  private final boolean onGpu;
  private final OptionalLong availableBeforeLoad;
  private final @Nullable NativeVocabulary vocabulary;
  private final ModelProperties properties;
  private final AtomicInteger openContexts = new AtomicInteger();

  /** Shared by those who use the model, so that it is not freed under their hands. */
  private final ReentrantReadWriteLock use = new ReentrantReadWriteLock();

  private boolean closed;

  private NativeModel(
      LlamaFunctions llama,
      NativeLog nativeLog,
      long model,
      LoadOptions options,
      OptionalLong availableBeforeLoad)
      throws ModelLoadException {
    this.part = options.part();
    this.onGpu = options.gpuLayers() != 0;
    this.availableBeforeLoad = availableBeforeLoad;
    this.llama = llama;
    this.nativeLog = nativeLog;
    this.model = model;
    this.properties = readProperties();
    this.lexicon = options.lexicon().isPresent() ? loadLexicon(options.lexicon().get()) : null;
    long tokenizer = lexicon == null ? model : lexicon.model();
    this.vocabulary =
        part == StagePart.MIDDLE
            ? null
            : new NativeVocabulary(llama, llama.modelVocab.toLong(tokenizer), this);
  }

  static NativeModel load(
      LlamaFunctions llama,
      NativeLog nativeLog,
      Path file,
      LoadOptions options,
      DoubleConsumer progress)
      throws ModelLoadException {
    OptionalLong available =
        options.gpuLayers() == 0 ? HostMachine.THIS.availableBytes() : OptionalLong.empty();
    HostMachine.requireMemory("model", fileBytes(file), available);
    nativeLog.clear();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment params = llama.modelDefaults(arena);
      NativeStruct fields = llama.version().modelParams();
      int layers = options.gpuLayers();
      fields.set(
          params, "n_gpu_layers", layers == LoadOptions.ALL_LAYERS ? MORE_LAYERS_THAN_ANY : layers);
      if (layers != 0 && options.mainGpu() != LoadOptions.ALL_GPUS) {
        fields.set(params, "split_mode", SPLIT_NONE);
        fields.set(params, "main_gpu", options.mainGpu());
      }
      switch (llama.version()) {
        case B4916 -> fields.set(params, "use_mmap", options.mmap());
        case V0_5_0 -> {
          if (!options.mmap()) {
            fields.set(params, "load_mode", READ_WHOLE);
          }
        }
      }
      fields.set(params, "progress_callback", LoadProgress.callback(progress, arena));
      long before = MappedPages.copiedBytes();
      long model = llama.loadModel(arena.allocateFrom(file.toAbsolutePath().toString()), params);
      if (model == 0) {
        throw new ModelLoadException(
            "%s cannot load %s: %s"
                    .formatted(llama.version().title(), file.getFileName(), nativeLog.reason())
                + advice(llama, nativeLog));
      }
      if (MappedPages.copiedBytes() - before > fileBytes(file) / 2) {
        releasePages(file);
      }
      try {
        return new NativeModel(llama, nativeLog, model, options, available);
      } catch (ModelLoadException e) {
        llama.modelFree.run(model);
        throw e;
      }
    }
  }

  /** Most weights were copied: they are not read from the file any more. */
  private static void releasePages(Path file) {
    try {
      MappedPages.release(file);
    } catch (IOException e) {
      log.debug("the pages of {} are kept", file, e);
    }
  }

  private Lexicon loadLexicon(Path file) throws ModelLoadException {
    int width = properties.embeddingLength();
    float scale = architecture().map(known -> known.embeddingScale(width)).orElse(1f);
    Lexicon loaded = Lexicon.load(llama, nativeLog, file, scale);
    if (loaded.embeddings().width() != width) {
      loaded.close();
      throw new ModelLoadException(
          "lexicon %s has embeddings of %d numbers (expected: %d, as the layers have); take that of the same model"
              .formatted(file.getFileName(), loaded.embeddings().width(), width));
    }
    return loaded;
  }

  private Optional<Architecture> architecture() {
    return Architecture.of(properties.architecture());
  }

  private static long fileBytes(Path file) throws ModelLoadException {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new ModelLoadException("model file %s cannot be read: %s".formatted(file, e), e);
    }
  }

  private static String advice(LlamaFunctions llama, NativeLog nativeLog) {
    boolean perhapsTooOld =
        llama.version() == LlamaVersion.B4916
            && nativeLog.firstError().startsWith("unknown model architecture");
    return perhapsTooOld
        ? "; a newer one may know it, get it with: cloister engine install llama.cpp"
        : "";
  }

  @Override
  public ModelProperties properties() {
    return properties;
  }

  @Override
  public StagePart part() {
    return part;
  }

  @Override
  public Vocabulary vocabulary() {
    return nativeVocabulary();
  }

  NativeVocabulary nativeVocabulary() {
    if (vocabulary == null) {
      throw new IllegalStateException("a stage between the first and the last has no vocabulary");
    }
    return vocabulary;
  }

  /** Of a first stage. */
  EmbeddingTable embeddings() {
    if (lexicon == null) {
      throw new IllegalStateException("only a first stage has the embeddings of tokens");
    }
    return lexicon.embeddings();
  }

  @Override
  public DecodeContext openContext(ContextOptions options) throws ModelLoadException {
    use.readLock().lock();
    try {
      requireOpen();
      return newContext(options);
    } finally {
      use.readLock().unlock();
    }
  }

  private DecodeContext newContext(ContextOptions options) throws ModelLoadException {
    String what = "KV cache of %d tokens".formatted(options.cells());
    long bytes = kvBytes(options);
    if (!(onGpu && options.kvOnGpu())) {
      HostMachine.requireMemory(what, bytes, HostMachine.THIS.availableBytes());
    }
    // Weights that are mapped count as free until they are used.
    HostMachine.requireMemory(
        "model with its " + what, properties.sizeBytes() + bytes, availableBeforeLoad);
    // Vectors are made of what comes out of the model.
    ContextOptions own = part.givesLogits() ? options : options.pooled(Pooling.NONE);
    Arena contextArena = Arena.ofShared();
    GraphStates states = part == StagePart.WHOLE ? null : hiddenStates(own, contextArena);
    nativeLog.clear();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment params =
          ContextParameters.of(
              llama,
              own,
              properties.recurrent(),
              states == null ? MemorySegment.NULL : states.callback(),
              arena);
      long context = llama.openContext(model, params);
      if (context == 0) {
        contextArena.close();
        throw new ModelLoadException(
            "%s cannot make a context of %d tokens: %s"
                .formatted(llama.version().title(), options.cells(), nativeLog.reason()));
      }
      openContexts.incrementAndGet();
      return new NativeContext(llama, nativeLog, this, context, own, states, contextArena);
    }
  }

  private GraphStates hiddenStates(ContextOptions options, Arena arena) {
    int width = properties.embeddingLength();
    boolean scales = architecture().filter(known -> known.embeddingScale(width) != 1).isPresent();
    return new GraphStates(
        llama.tensors,
        !part.givesLogits(),
        scales,
        properties.layers(),
        width,
        options.batchTokens(),
        arena);
  }

  /** Without what a recurrent model keeps, which does not grow with the tokens. */
  private long kvBytes(ContextOptions options) {
    long heads = llama.modelKvHeads.toInt(model);
    long headLength =
        llama.modelEmbedding.toInt(model) / Math.max(1, llama.modelHeads.toInt(model));
    String attention = properties.architecture() + ".attention.";
    long numbers =
        options.cells()
            * heads
            * properties.layers()
            * (number(attention + "key_length", headLength)
                + number(attention + "value_length", headLength));
    return switch (options.kvType()) {
      case F16 -> numbers * 2;
      // 32 numbers and their scale.
      case Q8_0 -> numbers / 32 * 34;
    };
  }

  private long number(String key, long otherwise) {
    String value = metadata(key);
    return value.isEmpty() ? otherwise : Long.parseLong(value);
  }

  /** Contexts call it when they close. */
  void contextClosed() {
    openContexts.decrementAndGet();
  }

  long address() {
    return model;
  }

  private ModelProperties readProperties() {
    String architecture = metadata("general.architecture");
    return new ModelProperties(
        architecture,
        llama.modelParameters.toLong(model),
        llama.modelSize.toLong(model),
        llama.modelTrainedContext.toInt(model),
        llama.modelLayers.toInt(model),
        llama.embeddingLength(model),
        llama.recurrent(model),
        pooling(metadata(architecture + ".pooling_type")),
        llama.version().title());
  }

  private static Pooling pooling(String type) {
    return switch (type) {
      case "1" -> Pooling.MEAN;
      case "2" -> Pooling.CLS;
      case "3" -> Pooling.LAST;
      case "4" -> Pooling.RANK;
      default -> Pooling.NONE;
    };
  }

  /** A value of the file's metadata as text; empty if there is none. */
  private String metadata(String key) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom(key);
      MemorySegment value = arena.allocate(METADATA_BYTES);
      int length =
          llama.modelMetadata.toInt(model, name.address(), value.address(), METADATA_BYTES);
      return length < 0 ? "" : value.getString(0);
    }
  }

  /** Does what must not meet the end of the model. */
  <T> T whileOpen(Supplier<T> action) {
    use.readLock().lock();
    try {
      requireOpen();
      return action.get();
    } finally {
      use.readLock().unlock();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("this model is closed");
    }
  }

  /**
   * {@inheritDoc} Waits for those who are dividing texts into tokens.
   *
   * @throws IllegalStateException if a context is still open
   */
  @Override
  public void close() {
    use.writeLock().lock();
    try {
      if (closed) {
        return;
      }
      if (openContexts.get() != 0) {
        throw new IllegalStateException("a context of this model is still open");
      }
      closed = true;
      llama.modelFree.run(model);
      if (lexicon != null) {
        lexicon.close();
      }
    } finally {
      use.writeLock().unlock();
    }
  }
}
