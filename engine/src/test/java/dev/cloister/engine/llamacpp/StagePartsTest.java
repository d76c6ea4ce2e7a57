package dev.cloister.engine.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.GgufModel;
import dev.cloister.engine.gguf.StageCut;
import dev.cloister.engine.gguf.TensorType;
import dev.cloister.engine.gguf.random.RandomModel;
import dev.cloister.engine.gguf.random.RandomModel.Shape;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.DecodeContext.DecodeOutcome;
import dev.cloister.engine.model.Model;
import dev.cloister.engine.model.StagePart;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a stage takes, gives and refuses, on each native library. */
class StagePartsTest {

  private static final int WIDTH = 256;

  private static List<LlamaCpp> libraries = List.of();

  @TempDir private Path folder;

  @BeforeAll
  static void start() throws ModelLoadException {
    libraries = Libraries.start();
  }

  static List<LlamaCpp> libraries() {
    return libraries;
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void theFirstTakesTokensAndGivesStates(LlamaCpp library) throws Exception {
    try (Model whole = Libraries.demo(library);
        Model first = load(library, StagePart.FIRST, 0, 3);
        DecodeContext context = Libraries.open(first)) {
      assertThat(first.part()).isEqualTo(StagePart.FIRST);
      assertThat(first.properties().layers()).isEqualTo(3);
      assertThat(first.vocabulary().size()).isEqualTo(whole.vocabulary().size());
      assertThat(first.vocabulary().tokenize("Hello, world!", true, true))
          .isEqualTo(whole.vocabulary().tokenize("Hello, world!", true, true));
      context.add(5, 0, 0, false);
      context.add(6, 1, 0, false);
      context.add(5, 0, 1, false);
      assertThat(context.decode()).isEqualTo(DecodeOutcome.DONE);
      FloatBuffer hidden = context.hidden();
      assertThat(hidden.isDirect()).isTrue();
      assertThat(hidden.isReadOnly()).isTrue();
      assertThat(hidden.remaining()).isEqualTo(3 * WIDTH);
      assertThat(hidden.slice(0, WIDTH)).isEqualTo(hidden.slice(2 * WIDTH, WIDTH));
      assertThat(hidden.slice(0, WIDTH)).isNotEqualTo(hidden.slice(WIDTH, WIDTH));

      assertThatIllegalStateException()
          .isThrownBy(() -> context.addHidden(hidden, 2, 0, true))
          .withMessage("the part FIRST of a model takes tokens, not hidden states");
      assertThatIllegalStateException()
          .isThrownBy(() -> context.logits(0))
          .withMessage("the part FIRST of a model gives hidden states, not logits");
      assertThatIllegalStateException()
          .isThrownBy(() -> context.newSampler(Sampling.GREEDY, Optional.empty()));
      assertThatIllegalStateException().isThrownBy(() -> context.probabilities(0, 1, 1));
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> context.add(whole.vocabulary().size(), 2, 0, false));
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void whatIsBetweenTakesAndGivesStates(LlamaCpp library) throws Exception {
    try (Model middle = load(library, StagePart.MIDDLE, 3, 5);
        DecodeContext context = Libraries.open(middle)) {
      assertThatIllegalStateException()
          .isThrownBy(middle::vocabulary)
          .withMessage("a stage between the first and the last has no vocabulary");
      assertThatIllegalStateException()
          .isThrownBy(() -> context.add(5, 0, 0, true))
          .withMessage("the part MIDDLE of a model takes hidden states, not tokens");
      FloatBuffer states = states(ByteOrder.nativeOrder(), 2);
      context.addHidden(states, 0, 0, true);
      assertThat(states.position()).isEqualTo(WIDTH);
      context.addHidden(states, 1, 0, true);
      assertThat(states.hasRemaining()).isFalse();
      assertThat(context.decode()).isEqualTo(DecodeOutcome.DONE);
      FloatBuffer hidden = FloatBuffer.allocate(2 * WIDTH).put(context.hidden()).flip();

      context.remove(0);
      context.clearBatch();
      FloatBuffer swapped = states(ByteOrder.BIG_ENDIAN, 2);
      context.addHidden(swapped, 0, 0, true);
      context.addHidden(swapped, 1, 0, true);
      assertThat(context.decode()).isEqualTo(DecodeOutcome.DONE);
      assertThat(context.hidden()).isEqualTo(hidden);
      assertThat(context.truncate(0, 1)).isTrue();
    }
  }

  private static FloatBuffer states(ByteOrder order, int tokens) {
    FloatBuffer states =
        ByteBuffer.allocate(tokens * WIDTH * Float.BYTES).order(order).asFloatBuffer();
    for (int i = 0; states.hasRemaining(); i++) {
      states.put((float) Math.sin(i));
    }
    return states.flip();
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void theLastTakesStatesAndGivesLogits(LlamaCpp library) throws Exception {
    try (Model last = load(library, StagePart.LAST, 5, 8);
        DecodeContext context = Libraries.open(last)) {
      assertThat(last.vocabulary().size()).isEqualTo(2048);
      FloatBuffer states = states(ByteOrder.nativeOrder(), 2);
      context.addHidden(states, 0, 0, false);
      context.addHidden(states, 1, 0, true);
      assertThat(context.decode()).isEqualTo(DecodeOutcome.DONE);
      assertThat(context.logits(1)).hasSize(2048);
      assertThatIllegalStateException()
          .isThrownBy(context::hidden)
          .withMessage("the part LAST of a model gives logits, not hidden states");
      assertThatIllegalStateException()
          .isThrownBy(() -> context.logits(0))
          .withMessage("no output was asked for at place 0");
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void aLexiconOfAnotherModelIsRefused(LlamaCpp library) throws Exception {
    Path other = folder.resolve("other.gguf");
    Shape narrow = new Shape(4, 128, 4, 2, 256, 512, 512);
    new RandomModel(Architecture.LLAMA, narrow, TensorType.Q8_0, false, 1).write(other);
    Path stage = stage(0, 3);
    assertThatExceptionOfType(ModelLoadException.class)
        .isThrownBy(
            () ->
                library.load(
                    stage, LoadOptions.CPU.stage(StagePart.FIRST, Optional.of(other)), _ -> {}))
        .withMessage(
            "lexicon other.gguf has embeddings of 128 numbers (expected: 256, as the layers have);"
                + " take that of the same model");
  }

  private Model load(LlamaCpp library, StagePart part, int first, int end) throws Exception {
    Path lexicon = folder.resolve("lexicon.gguf");
    GgufModel demo = GgufModel.open(Libraries.DEMO_MODEL);
    StageCut.lexicon(demo).write(Libraries.DEMO_MODEL, lexicon);
    Optional<Path> own = part == StagePart.FIRST ? Optional.of(lexicon) : Optional.empty();
    return library.load(stage(first, end), LoadOptions.CPU.stage(part, own), _ -> {});
  }

  private Path stage(int first, int end) throws Exception {
    GgufModel demo = GgufModel.open(Libraries.DEMO_MODEL);
    Path file = folder.resolve("stage-%d-%d.gguf".formatted(first, end));
    new StageCut(first, end, demo.layers()).write(demo, file);
    return file;
  }
}
