package dev.cloister.engine;

import dev.cloister.engine.answering.BatchedModel;
import dev.cloister.engine.answering.FirstStage;
import dev.cloister.engine.batching.BatchLimits;
import dev.cloister.engine.batching.Batcher;
import dev.cloister.engine.batching.PrefixStore;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.ModelFacts;
import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.GgufException;
import dev.cloister.engine.gguf.GgufModel;
import dev.cloister.engine.library.Backend;
import dev.cloister.engine.library.InstalledLibraries;
import dev.cloister.engine.library.InstalledLibrary;
import dev.cloister.engine.library.Machine;
import dev.cloister.engine.llamacpp.LlamaCpp;
import dev.cloister.engine.llamacpp.LoadOptions;
import dev.cloister.engine.llamacpp.jni.JniModel;
import dev.cloister.engine.llamacpp.jni.JniOptions;
import dev.cloister.engine.model.ContextOptions;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.Model;
import dev.cloister.engine.model.ModelProperties;
import dev.cloister.engine.model.Pooling;
import dev.cloister.engine.model.StagePart;
import dev.cloister.engine.stage.LaterStage;
import dev.cloister.engine.stage.LocalPipeline;
import dev.cloister.engine.stage.Pipeline;
import dev.cloister.engine.stage.RingPipeline;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings a model from its file to where it answers: validated, loaded, batched. */
public final class ModelLoading {
  private static final Logger log = LoggerFactory.getLogger(ModelLoading.class);
  private static final int WAITING_PER_SLOT = 4;

  private final Deployment deployment;
  private final Clock clock;
  private final LongSupplier nanoClock;

  /**
   * @param nanoClock as {@link System#nanoTime}
   */
  public ModelLoading(Deployment deployment, Clock clock, LongSupplier nanoClock) {
    this.deployment = deployment;
    this.clock = clock;
    this.nanoClock = nanoClock;
  }

  /**
   * Loads a model; takes as long as reading its file does.
   *
   * @param progress is told from 0 to 1
   * @throws ModelLoadException in one sentence
   */
  public LoadedModel load(Path file, DoubleConsumer progress) throws ModelLoadException {
    GgufModel gguf = checked(file);
    int contextTokens = deployment.contextTokensFor(gguf.contextTokens());
    requireCells(contextTokens);
    Optional<LlamaCpp> llama = library();
    if (llama.map(LlamaCpp::bundled).orElse(true)) {
      requireBundledRuns(file, gguf);
    }
    if (llama.isEmpty()) {
      requireWhole();
      return JniModel.load(
          file,
          new JniOptions(
              contextTokens,
              deployment.slotsOrDefault(),
              deployment.threads(),
              gguf.addsBeginToken()),
          deployment.libraryCache());
    }
    Model model = llama.get().load(file, loadOptions(llama.get()), progress);
    try {
      return answering(model, llama.get(), contextTokens, words(gguf));
    } catch (ModelLoadException | RuntimeException e) {
      model.close();
      throw e;
    }
  }

  private void requireWhole() throws ModelLoadException {
    if (deployment.stage().part() != StagePart.WHOLE) {
      throw new ModelLoadException(
          "java-llama.cpp's Java API cannot run some layers of a model; use the library auto or"
              + " b4916");
    }
  }

  /** A first stage has no tokenizer of its own, and so no template; its lexicon has the whole's. */
  private GgufModel words(GgufModel gguf) throws ModelLoadException {
    Optional<Path> lexicon = deployment.stage().lexicon();
    return lexicon.isPresent() ? checked(lexicon.get()) : gguf;
  }

  private static GgufModel checked(Path file) throws ModelLoadException {
    try {
      return GgufModel.open(file);
    } catch (GgufException e) {
      throw new ModelLoadException(
          "model file %s: %s".formatted(file.getFileName(), e.getMessage()), e);
    }
  }

  /** llama.cpp counts the cells of all slots in 32 bits. */
  private void requireCells(int contextTokens) throws ModelLoadException {
    if ((long) contextTokens * deployment.slotsOrDefault() > Integer.MAX_VALUE) {
      throw new ModelLoadException(
          "context of %d tokens for each of %d slots (expected: at most %d tokens together); choose a smaller context or fewer slots"
              .formatted(contextTokens, deployment.slotsOrDefault(), Integer.MAX_VALUE));
    }
  }

  /** The library that comes with Cloister ends the process on some of what it does not run. */
  private static void requireBundledRuns(Path file, GgufModel gguf) throws ModelLoadException {
    Optional<Architecture> known = Architecture.of(gguf.architecture());
    if (known.isPresent() && !known.get().runsOnB4916(gguf.layers())) {
      throw new ModelLoadException(
          "model file %s: the llama.cpp that comes with Cloister does not run %s with %d layers; get a newer one with: cloister engine install llama.cpp"
              .formatted(file.getFileName(), gguf.architecture(), gguf.layers()));
    }
  }

  /** Empty where only java-llama.cpp's Java API can be used. */
  private Optional<LlamaCpp> library() throws ModelLoadException {
    return switch (deployment.library()) {
      case JNI -> Optional.empty();
      case B4916 -> LlamaCpp.b4916(deployment.libraryCache());
      case AUTO -> {
        Optional<InstalledLibrary> best = bestInstalled();
        yield best.isPresent() ? installed(best.get()) : LlamaCpp.b4916(deployment.libraryCache());
      }
    };
  }

  private Optional<InstalledLibrary> bestInstalled() {
    InstalledLibraries installed = InstalledLibraries.in(deployment.libraryCache());
    if (installed.usable().isEmpty()) {
      return Optional.empty();
    }
    Machine machine = Machine.current();
    Optional<InstalledLibrary> best = installed.best(machine);
    if (best.isEmpty()) {
      for (InstalledLibrary library : installed.usable()) {
        log.warn(
            "{} is not used: {}",
            library,
            machine.obstacle(library.backend()).orElse("it is for " + library.platform()));
      }
    }
    return best;
  }

  /** One that does not work must not keep the machine from answering. */
  private Optional<LlamaCpp> installed(InstalledLibrary library) throws ModelLoadException {
    try {
      LlamaCpp llama = LlamaCpp.v050(library.backendFolders());
      if (library.backend() != Backend.CPU && !llama.gpuOffload()) {
        log.warn("{} finds no GPU that it can use; models run on the processor", library);
      }
      return Optional.of(llama);
    } catch (ModelLoadException e) {
      log.warn("the installed library is not used: {}", e.getMessage());
      return LlamaCpp.b4916(deployment.libraryCache());
    }
  }

  private LoadOptions loadOptions(LlamaCpp llama) {
    LoadOptions whole =
        llama.gpuOffload()
            ? LoadOptions.whole(deployment.gpuLayers(), deployment.mainGpu(), true)
            : LoadOptions.CPU;
    return whole.stage(deployment.stage().part(), deployment.stage().lexicon());
  }

  /** With the kind of GPU that is used, if one is: {@code llama.cpp v0.5.0 (CUDA)}. */
  private String engineName(LlamaCpp llama) {
    return onGpu(llama)
        ? llama.devices().stream()
            .filter(device -> !device.cpu())
            .findFirst()
            .map(gpu -> gpu.name().replaceFirst("[0-9]+$", ""))
            .map(gpu -> "%s (%s)".formatted(llama.version(), gpu))
            .orElse(llama.version())
        : llama.version();
  }

  private boolean onGpu(LlamaCpp llama) {
    return deployment.gpuLayers() != 0 && llama.gpuOffload();
  }

  private LoadedModel answering(Model model, LlamaCpp llama, int contextTokens, GgufModel words)
      throws ModelLoadException {
    String template = words.chatTemplate().orElse("");
    ModelProperties properties = model.properties();
    BatchLimits limits =
        new BatchLimits(
            deployment.slotsOrDefault(),
            contextTokens,
            deployment.slotsOrDefault() * WAITING_PER_SLOT,
            properties.recurrent(),
            shelfBytes(properties, llama));
    ContextOptions options = contextOptions(limits, properties.pooling());
    ModelFacts facts =
        new ModelFacts(
            contextTokens,
            limits.slots(),
            engineName(llama),
            true,
            uses(model.part(), properties.pooling()));
    return switch (model.part()) {
      case WHOLE -> whole(model, facts, options, limits, template);
      case FIRST -> first(model, facts, options, limits, template);
      case MIDDLE, LAST ->
          LaterStage.start(
              model,
              facts,
              model.openContext(options),
              deployment.stage().hidden(),
              limits.shelfBytes());
    };
  }

  /**
   * From a GPU, states would have to cross to main memory; that of a recurrent model serves few
   * prompts.
   */
  private long shelfBytes(ModelProperties properties, LlamaCpp llama) {
    return properties.recurrent() || onGpu(llama) ? 0 : deployment.shelfBytes();
  }

  private static Set<ModelFacts.Use> uses(StagePart part, Pooling pooling) {
    return switch (part) {
      case WHOLE ->
          switch (pooling) {
            case NONE -> Set.of(ModelFacts.Use.GENERATE, ModelFacts.Use.EMBED);
            case MEAN, CLS, LAST -> Set.of(ModelFacts.Use.EMBED);
            case RANK -> Set.of(ModelFacts.Use.RERANK);
          };
      case FIRST -> Set.of(ModelFacts.Use.GENERATE);
      case MIDDLE, LAST -> Set.of();
    };
  }

  private LoadedModel whole(
      Model model, ModelFacts facts, ContextOptions options, BatchLimits limits, String template)
      throws ModelLoadException {
    Batcher batcher = null;
    if (facts.uses().contains(ModelFacts.Use.GENERATE)) {
      DecodeContext context = model.openContext(options);
      PrefixStore store = prefixes(model.properties(), options, context);
      batcher = batcher(new LocalPipeline(context), model, limits, store);
    }
    return batched(model, facts, batcher, options, template);
  }

  private LoadedModel first(
      Model model, ModelFacts facts, ContextOptions options, BatchLimits limits, String template)
      throws ModelLoadException {
    RingPipeline ring =
        new RingPipeline(
            model.openContext(options),
            deployment.stage().stages(),
            model.properties().embeddingLength(),
            model.vocabulary().size(),
            deployment.stage().hidden());
    Batcher batcher = batcher(ring, model, limits, null);
    return new FirstStage(batched(model, facts, batcher, options, template), ring);
  }

  private Batcher batcher(
      Pipeline pipeline, Model model, BatchLimits limits, @Nullable PrefixStore store) {
    return Batcher.start(pipeline, model.vocabulary(), limits, store, nanoClock);
  }

  private BatchedModel batched(
      Model model,
      ModelFacts facts,
      @Nullable Batcher batcher,
      ContextOptions options,
      String template) {
    ContextOptions embedding = BatchedModel.embeddingContext(options, facts.contextTokens());
    return new BatchedModel(model, facts, batcher, embedding, template, clock);
  }

  private ContextOptions contextOptions(BatchLimits limits, Pooling pooling) {
    return new ContextOptions(
        limits.cells(),
        limits.contextTokens(),
        limits.sequences(),
        limits.batchTokens(deployment.batchTokens()),
        deployment.threads(),
        deployment.batchThreads() == 0 ? deployment.threads() : deployment.batchThreads(),
        deployment.kvType(),
        deployment.flashAttention(),
        deployment.kvPlace() == Deployment.KvPlace.GPU,
        pooling);
  }

  private @Nullable PrefixStore prefixes(
      ModelProperties properties, ContextOptions options, DecodeContext context) {
    if (deployment.prefixes().isEmpty() || deployment.prefixBytes() == 0) {
      return null;
    }
    String kind =
        (properties.library() + "-" + options.kvType())
            .toLowerCase(Locale.ROOT)
            .replaceAll("[^a-z0-9._-]", "-");
    Path all = deployment.prefixes().get();
    Path folder = all.resolve(kind);
    try {
      PrefixFolders.removeOthers(all, folder);
      return PrefixStore.open(folder, deployment.prefixBytes(), context, clock);
    } catch (IOException e) {
      log.warn("prefixes are not kept: {}", e.getMessage());
      return null;
    }
  }
}
