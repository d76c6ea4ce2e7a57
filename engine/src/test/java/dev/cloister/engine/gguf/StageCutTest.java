package dev.cloister.engine.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.cloister.engine.gguf.random.RandomModel;
import dev.cloister.engine.gguf.random.RandomModel.Shape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StageCutTest {

  @TempDir Path folder;

  @Test
  void aFirstStageHasItsLayersAndAPlaceholderForTheVocabulary() throws Exception {
    GgufModel whole = random(Architecture.LLAMA, 4);
    GgufModel stage = cut(whole, 0, 3);

    assertThat(stage.layers()).isEqualTo(3);
    assertThat(stage.vocabulary()).isEqualTo(32);
    assertThat(stage.tokenizer()).isEqualTo("none");
    assertThat(stage.chatTemplate()).isEmpty();
    assertThat(stage.file().metadata().keySet())
        .filteredOn(key -> key.startsWith("tokenizer."))
        .containsExactly("tokenizer.ggml.model");
    for (int layer = 0; layer < 3; layer++) {
      assertLayer(whole, layer, stage, layer);
    }
    assertThat(stage.file().tensors().keySet()).noneMatch(name -> name.startsWith("blk.3."));
    assertZero(stage, "token_embd.weight", 32);
    assertZero(stage, "output.weight", 32);
    assertThat(bytes(stage, "output_norm.weight")).isEqualTo(bytes(whole, "output_norm.weight"));
  }

  @Test
  void aLastStageHasTheOutputAndTheTokenizer() throws Exception {
    GgufModel whole = random(Architecture.LLAMA, 4);
    GgufModel stage = cut(whole, 1, 4);

    assertThat(stage.layers()).isEqualTo(3);
    assertThat(stage.vocabulary()).isEqualTo(whole.vocabulary());
    assertThat(stage.chatTemplate()).isEqualTo(whole.chatTemplate());
    assertLayer(whole, 1, stage, 0);
    assertLayer(whole, 3, stage, 2);
    assertThat(bytes(stage, "token_embd.weight")).isEqualTo(bytes(whole, "output.weight"));
    assertThat(stage.file().tensors()).doesNotContainKey("output.weight");
  }

  @Test
  void aLastStageKeepsAnEmbeddingThatIsAlsoItsOutput() throws Exception {
    GgufModel whole = random(Architecture.QWEN2, 4);
    GgufModel stage = cut(whole, 2, 4);
    assertThat(bytes(stage, "token_embd.weight")).isEqualTo(bytes(whole, "token_embd.weight"));
    assertThat(stage.file().tensors()).doesNotContainKey("output.weight");
  }

  @Test
  void aStageOfAllLayersIsTheWholeModel() throws Exception {
    GgufModel whole = random(Architecture.LLAMA, 2);
    GgufModel stage = cut(whole, 0, 2);
    assertThat(stage.file().tensors()).isEqualTo(whole.file().tensors());
    for (String name : whole.file().tensors().keySet()) {
      assertThat(bytes(stage, name)).as(name).isEqualTo(bytes(whole, name));
    }
  }

  @Test
  void valuesOfEachLayerGoWithTheirLayers() throws Exception {
    GgufModel stage = cut(random(Architecture.JAMBA, 6), 2, 6);
    assertThat(stage.keyValueHeads()).containsExactly(0, 2, 0, 2);
  }

  @Test
  void llamaCppLoadsALastStage() throws Exception {
    cut(random(Architecture.LLAMA, 4), 2, 4);
    List<String> options =
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "-Dde.kherud.llama.tmpdir=" + Files.createDirectory(folder.resolve("library")));
    assertThat(
            ChildJvm.run(folder, RunModels.class, options, folder.resolve("stage.gguf").toString()))
        .anyMatch(line -> line.startsWith("said: "));
  }

  @Test
  void whatCannotBeCutIsRefused() throws Exception {
    assertThatIllegalArgumentException().isThrownBy(() -> new StageCut(2, 2, 4));
    assertThatIllegalArgumentException().isThrownBy(() -> new StageCut(-1, 2, 4));
    assertThatIllegalArgumentException().isThrownBy(() -> new StageCut(2, 5, 4));
    refused(
        random(Architecture.LLAMA, 4),
        new StageCut(0, 2, 5),
        "the model has 4 layers (expected: 5)");
    refused(
        random(Architecture.GEMMA3, 12),
        new StageCut(4, 12, 12),
        "a stage of a gemma3 model cannot begin with layer 4 (expected: one of [0, 6])");
  }

  @Test
  void whatIsNotKnownIsCutWhereItIsSaid() throws Exception {
    GgufModel llama = random(Architecture.LLAMA, 4);
    Map<String, GgufValue> metadata = new HashMap<>();
    llama
        .file()
        .metadata()
        .forEach((key, value) -> metadata.put(key.replaceFirst("^llama\\.", "mamba."), value));
    metadata.put("general.architecture", GgufValue.ofText("mamba"));
    GgufModel unknown =
        GgufModel.of(
            new GgufFile(
                llama.file().path(), metadata, llama.file().tensors(), llama.file().dataOffset()));
    Path file = folder.resolve("unknown.gguf");
    new StageCut(3, 4, 4).write(unknown, file);
    GgufModel stage = GgufModel.open(file);
    assertThat(stage.architecture()).isEqualTo("mamba");
    assertThat(stage.layers()).isEqualTo(1);
    assertThat(stage.file().tensors()).containsKeys("blk.0.attn_q.weight", "output.weight");
  }

  private void refused(GgufModel model, StageCut cut, String message) {
    assertThatExceptionOfType(GgufException.class)
        .isThrownBy(() -> cut.write(model, folder.resolve("refused.gguf")))
        .withMessageContaining(message);
  }

  private static void assertLayer(GgufModel whole, int layer, GgufModel stage, int renamed)
      throws Exception {
    String prefix = "blk." + layer + ".";
    for (TensorInfo tensor : whole.file().tensors().values()) {
      if (tensor.name().startsWith(prefix)) {
        String name = "blk." + renamed + "." + tensor.name().substring(prefix.length());
        TensorInfo copied = stage.file().tensor(name).orElseThrow();
        assertThat(copied.type()).isEqualTo(tensor.type());
        assertThat(copied.dimensions()).isEqualTo(tensor.dimensions());
        assertThat(bytes(stage, name)).as(name).isEqualTo(bytes(whole, tensor.name()));
      }
    }
  }

  private static void assertZero(GgufModel stage, String name, long rows) throws Exception {
    assertThat(stage.file().tensor(name).orElseThrow().dimensions()).containsExactly(128L, rows);
    assertThat(bytes(stage, name)).containsOnly(0);
  }

  private static byte[] bytes(GgufModel model, String name) throws Exception {
    TensorInfo tensor = model.file().tensor(name).orElseThrow();
    return TensorBytes.of(model.file(), tensor).array();
  }

  private GgufModel random(Architecture architecture, int layers) throws Exception {
    Path path = folder.resolve("whole.gguf");
    Shape shape = new Shape(layers, 128, 4, 2, 256, 512, 512);
    new RandomModel(architecture, shape, TensorType.Q8_0, true, 1).write(path);
    return GgufModel.open(path);
  }

  private GgufModel cut(GgufModel whole, int first, int end) throws Exception {
    Path path = folder.resolve("stage.gguf");
    new StageCut(first, end, whole.layers()).write(whole, path);
    return GgufModel.open(path);
  }
}
