package dev.cloister.engine.families;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.gguf.GgufException;
import dev.cloister.engine.gguf.GgufModel;
import dev.cloister.engine.gguf.StageCut;
import dev.cloister.engine.llamacpp.LlamaCpp;
import dev.cloister.engine.llamacpp.LoadOptions;
import dev.cloister.engine.model.ContextOptions;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.DecodeContext.DecodeOutcome;
import dev.cloister.engine.model.Model;
import dev.cloister.engine.model.StagePart;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A model's stages in one process, each computing what the one before has handed over. With one
 * stage it is the whole model. To be used by one thread at a time.
 */
public final class StageChain implements AutoCloseable {

  private final List<Model> models = new ArrayList<>();
  private final List<DecodeContext> stages = new ArrayList<>();

  private StageChain() {}

  /** A token of a batch. */
  public record Entry(int token, int position, int sequence, boolean output) {}

  /**
   * Cuts a model and loads its stages.
   *
   * @param starts the first layer of each stage but the first, ascending; none for the whole model
   * @param folder for the stages' files
   * @throws GgufException if the model cannot be cut there
   */
  public static StageChain open(
      LlamaCpp llama, GgufModel model, List<Integer> starts, ContextOptions options, Path folder)
      throws ModelLoadException, GgufException, IOException {
    StageChain chain = new StageChain();
    try {
      if (starts.isEmpty()) {
        chain.add(llama, model.file().path(), LoadOptions.CPU, options);
        return chain;
      }
      for (int stage = 0; stage <= starts.size(); stage++) {
        int first = stage == 0 ? 0 : starts.get(stage - 1);
        int end = stage == starts.size() ? model.layers() : starts.get(stage);
        Path file = folder.resolve("stage-%d-%d.gguf".formatted(first, end));
        new StageCut(first, end, model.layers()).write(model, file);
        StagePart part =
            stage == 0
                ? StagePart.FIRST
                : stage == starts.size() ? StagePart.LAST : StagePart.MIDDLE;
        Optional<Path> lexicon =
            part == StagePart.FIRST ? Optional.of(lexicon(model, folder)) : Optional.empty();
        chain.add(llama, file, LoadOptions.CPU.stage(part, lexicon), options);
      }
      return chain;
    } catch (ModelLoadException | GgufException | IOException | RuntimeException e) {
      chain.close();
      throw e;
    }
  }

  private void add(LlamaCpp llama, Path file, LoadOptions load, ContextOptions options)
      throws ModelLoadException {
    Model model = llama.load(file, load, progress -> {});
    models.add(model);
    stages.add(model.openContext(options));
  }

  private static Path lexicon(GgufModel model, Path folder) throws IOException {
    Path file = folder.resolve("lexicon.gguf");
    StageCut.lexicon(model).write(model.file().path(), file);
    return file;
  }

  /** Stages from the first to the last one. */
  public List<DecodeContext> stages() {
    return stages;
  }

  /** The model of the first stage, which has a vocabulary. */
  public Model first() {
    return models.getFirst();
  }

  /** Computes a batch in all stages; logits are at the last one then. */
  public DecodeOutcome decode(List<Entry> batch) {
    for (int stage = 0; stage < stages.size(); stage++) {
      DecodeContext context = stages.get(stage);
      context.clearBatch();
      if (stage == 0) {
        batch.forEach(
            entry ->
                context.add(entry.token(), entry.position(), entry.sequence(), entry.output()));
      } else {
        FloatBuffer states = stages.get(stage - 1).hidden();
        batch.forEach(
            entry -> context.addHidden(states, entry.position(), entry.sequence(), entry.output()));
      }
      DecodeOutcome outcome = context.decode();
      if (outcome != DecodeOutcome.DONE) {
        return outcome;
      }
    }
    return DecodeOutcome.DONE;
  }

  /** The logits at a place of the last batch. */
  public float[] logits(int place) {
    return stages.getLast().logits(place);
  }

  @Override
  public void close() {
    stages.forEach(DecodeContext::close);
    models.forEach(Model::close);
  }
}
