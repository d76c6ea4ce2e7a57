package dev.cloister.cli.member;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.coordinator.catalog.ModelLayout;
import dev.cloister.coordinator.catalog.StageFile;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.GgufFile;
import dev.cloister.engine.gguf.GgufModel;
import dev.cloister.engine.gguf.GgufValue;
import dev.cloister.engine.gguf.GgufWriter;
import dev.cloister.engine.gguf.StageCut;
import dev.cloister.engine.gguf.TensorInfo;
import dev.cloister.engine.gguf.TensorType;
import dev.cloister.engine.gguf.random.RandomModel;
import dev.cloister.engine.gguf.random.RandomModel.Shape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GgufModelFilesTest {
  private static final Shape SHAPE = new Shape(12, 128, 4, 2, 256, 512, 512);

  @TempDir private Path folder;
  private final GgufModelFiles files = new GgufModelFiles();

  @Test
  void aLayoutTellsWhatEachLayerTakes() throws Exception {
    ModelLayout layout = files.layout(random(Architecture.LLAMA));
    assertThat(layout.architecture()).isEqualTo("llama");
    assertThat(layout.layers()).hasSize(12);
    // 2 heads of 32 numbers, keys and values, 2 bytes each.
    assertThat(layout.layers().getFirst().kvBytesPerToken()).isEqualTo(2 * 32 * 2 * 2);
    assertThat(layout.embeddingBytes()).isEqualTo(512 * 128 / 32 * 34);
    assertThat(layout.outputBytes()).isEqualTo(layout.embeddingBytes());
    assertThat(layout.tiedOutput()).isFalse();
    assertThat(layout.feedForwardLength()).isEqualTo(256);
    assertThat(layout.cuts()).hasSize(12);
    assertThat(layout.cannotSplit()).isEmpty();
  }

  @Test
  void whatIsNotProvedIsSaidAndCouldBeCutAnywhere() throws Exception {
    GgufModel llama = GgufModel.open(random(Architecture.LLAMA));
    Path strange = folder.resolve("strange.gguf");
    String text = new String(Files.readAllBytes(llama.file().path()), ISO_8859_1);
    // As long as the name it takes the place of.
    Files.writeString(strange, text.replace("llama", "other"), ISO_8859_1);
    ModelLayout layout = files.layout(strange);
    assertThat(layout.cannotSplit())
        .contains("models of the architecture other are not proved equal in stages and whole");
    assertThat(layout.cuts()).hasSize(12);
    assertThat(files.stage(strange, 5, 12).sizeBytes()).isPositive();
  }

  @ParameterizedTest
  @EnumSource(
      value = Architecture.class,
      names = {"LLAMA", "QWEN2", "GEMMA2", "GEMMA3", "PHI3", "OLMO2"})
  void aStagesFileHoldsItsShareAndIsWhatTheEngineCuts(Architecture architecture) throws Exception {
    Path model = random(architecture);
    byte[] whole = Files.readAllBytes(model);
    ModelLayout layout = files.layout(model);
    int half = layout.cuts().get(layout.cuts().size() / 2);
    for (int[] layers : new int[][] {{0, half}, {half, 12}}) {
      StageFile stage = files.stage(model, layers[0], layers[1]);
      assertThat(files.stage(model, layers[0], layers[1])).isEqualTo(stage);
      Path cut = folder.resolve("cut.gguf");
      new StageCut(layers[0], layers[1], 12).write(GgufModel.open(model), cut);
      assertThat(assemble(stage, whole)).isEqualTo(Files.readAllBytes(cut));

      long weights =
          layout.layers().subList(layers[0], layers[1]).stream()
              .mapToLong(ModelLayout.Layer::weightBytes)
              .sum();
      long share = weights + (layers[1] == 12 ? layout.outputBytes() : 0);
      long held =
          stage.parts().stream()
              .filter(StageFile.Piece.class::isInstance)
              .mapToLong(StageFile.Part::length)
              .sum();
      assertThat(held).isBetween(weights, share * 11 / 10);
    }
  }

  @Test
  void theLexiconHasTheEmbeddingAndTheTokenizer() throws Exception {
    Path model = random(Architecture.LLAMA);
    Path lexicon = folder.resolve("lexicon.gguf");
    Files.write(lexicon, assemble(files.lexicon(model), Files.readAllBytes(model)));
    GgufModel read = GgufModel.open(lexicon);
    assertThat(read.file().tensors().keySet()).containsExactly("token_embd.weight");
    assertThat(read.file().metadata()).containsKey("tokenizer.ggml.tokens");
    assertThat(read.vocabulary()).isEqualTo(512);
  }

  @Test
  void modelsThatAreForEmbeddingsAreNotSplit() throws Exception {
    GgufFile plain = GgufModel.open(random(Architecture.LLAMA)).file();
    GgufWriter writer = new GgufWriter();
    plain.metadata().forEach(writer::put);
    writer.put("llama.pooling_type", GgufValue.ofUint32(1));
    for (TensorInfo tensor : plain.tensors().values()) {
      ByteBuffer zeros = ByteBuffer.allocate((int) tensor.bytes());
      writer.tensor(tensor.name(), tensor.type(), tensor.dimensions(), out -> out.write(zeros));
    }
    Path file = folder.resolve("pooling.gguf");
    writer.write(file);
    assertThat(files.layout(file).cuts()).containsExactly(0);
    assertThat(files.layout(file).cannotSplit()).isPresent();
  }

  @Test
  void whatTheLibraryThatComesAlongRunsIsTold() throws Exception {
    ModelLayout gemma = files.layout(random(Architecture.GEMMA3));
    assertThat(gemma.runsOn("llama.cpp b4916", 6)).isTrue();
    assertThat(gemma.runsOn("llama.cpp b4916", 5)).isFalse();
    assertThat(gemma.runsOn("llama.cpp v0.5.0", 5)).isTrue();
    assertThat(files.layout(random(Architecture.QWEN3)).runsOn("llama.cpp b4916", 12)).isFalse();
    assertThat(files.layout(random(Architecture.LLAMA)).runsOn("llama.cpp b4916", 1)).isTrue();
  }

  @Test
  void aCutWhereThereIsNoneIsRefusedInOneSentence() throws Exception {
    Path gemma = random(Architecture.GEMMA3);
    assertThatThrownBy(() -> files.stage(gemma, 0, 5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cannot begin with layer 5");
    assertThatThrownBy(() -> files.stage(gemma, 0, 13))
        .isInstanceOf(IllegalArgumentException.class);
    Path text = Files.writeString(folder.resolve("text.gguf"), "no model");
    assertThatThrownBy(() -> files.layout(text)).isInstanceOf(IOException.class);
  }

  private Path random(Architecture architecture) throws IOException {
    Path path = folder.resolve("whole.gguf");
    new RandomModel(architecture, SHAPE, TensorType.Q8_0, false, 1).write(path);
    return path;
  }

  private static byte[] assemble(StageFile file, byte[] whole) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (StageFile.Part part : file.parts()) {
      bytes.writeBytes(
          switch (part) {
            case StageFile.Own own -> own.bytes();
            case StageFile.Piece piece ->
                Arrays.copyOfRange(
                    whole, (int) piece.offset(), (int) (piece.offset() + piece.length()));
            case StageFile.Zeros zeros -> new byte[(int) zeros.length()];
          });
    }
    return bytes.toByteArray();
  }
}
