package dev.cloister.engine.gguf.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.ChildJvm;
import dev.cloister.engine.gguf.GgufFile;
import dev.cloister.engine.gguf.RunModels;
import dev.cloister.engine.gguf.TensorBytes;
import dev.cloister.engine.gguf.TensorInfo;
import dev.cloister.engine.gguf.TensorType;
import dev.cloister.engine.gguf.random.RandomModel.Shape;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RandomModelTest {

  private static final List<TensorType> TYPES =
      List.of(TensorType.F32, TensorType.F16, TensorType.Q8_0, TensorType.Q4_0);

  @TempDir Path folder;

  @Test
  void llamaCppRunsEveryArchitectureItKnows() throws Exception {
    List<String> files = new ArrayList<>();
    for (Architecture architecture : Architecture.values()) {
      Shape shape = Shape.tiny(architecture);
      if (architecture.runsOnB4916(shape.layers())) {
        files.add(write(architecture, shape, TensorType.Q8_0, 1).toString());
      }
    }
    assertThat(files).hasSize(7);
    assertAllSpeak(files);
  }

  @Test
  void llamaCppRunsEveryType() throws Exception {
    List<String> files = new ArrayList<>();
    for (TensorType type : TYPES) {
      files.add(write(Architecture.LLAMA, Shape.tiny(Architecture.LLAMA), type, 1).toString());
    }
    List<String> said = assertAllSpeak(files);
    assertThat(said.get(0)).as("F32 and F16").isEqualTo(said.get(1));
  }

  private List<String> assertAllSpeak(List<String> files) throws Exception {
    List<String> options =
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "-Dde.kherud.llama.tmpdir=" + Files.createDirectory(folder.resolve("library")));
    List<String> said =
        ChildJvm.run(folder, RunModels.class, options, files.toArray(String[]::new)).stream()
            .filter(line -> line.startsWith("said: "))
            .toList();
    // Bytes and special tokens are never chosen: whole words, as many as were allowed.
    assertThat(said)
        .hasSize(files.size())
        .allSatisfy(line -> assertThat(line).matches("said: \\p{ASCII}{16,}"));
    return said;
  }

  @Test
  void theSameModelIsTheSameFile() throws Exception {
    Shape shape = Shape.tiny(Architecture.QWEN3);
    Path first = write(Architecture.QWEN3, shape, TensorType.Q4_0, 5);
    byte[] bytes = Files.readAllBytes(first);
    assertThat(Files.readAllBytes(write(Architecture.QWEN3, shape, TensorType.Q4_0, 5)))
        .isEqualTo(bytes);
    assertThat(Files.readAllBytes(write(Architecture.QWEN3, shape, TensorType.Q4_0, 6)))
        .isNotEqualTo(bytes);
  }

  @Test
  void typesDifferByRoundingOnly() throws Exception {
    float[] exact = weights(TensorType.F32);
    double deviation = 1 / Math.sqrt(128);
    assertThat(Math.sqrt(meanSquare(exact))).isCloseTo(deviation, within(deviation / 20));
    float largest = (float) (Math.sqrt(3) * deviation);
    assertRounded(exact, weights(TensorType.F16), largest / 2048);
    // Half a step, and the step's own rounding to 16 bits.
    assertRounded(exact, weights(TensorType.Q8_0), largest / 127 * 0.57f);
    // The one end of the range that has the step's other sign is a step short.
    assertRounded(exact, weights(TensorType.Q4_0), largest / 8 * 1.01f);
  }

  private static void assertRounded(float[] exact, float[] rounded, float most) {
    for (int i = 0; i < exact.length; i++) {
      assertThat(rounded[i]).isCloseTo(exact[i], within(most));
    }
  }

  private static double meanSquare(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += value * value;
    }
    return sum / values.length;
  }

  /** A matrix of the model, decoded as ggml does it. */
  private float[] weights(TensorType type) throws Exception {
    GgufFile file =
        GgufFile.open(write(Architecture.LLAMA, Shape.tiny(Architecture.LLAMA), type, 3));
    TensorInfo tensor = file.tensor("blk.1.ffn_gate.weight").orElseThrow();
    ByteBuffer bytes = TensorBytes.of(file, tensor);
    float[] weights = new float[(int) tensor.elements()];
    for (int i = 0; i < weights.length; i++) {
      int block = i / 32 * type.blockBytes();
      int in = i % 32;
      weights[i] =
          switch (type) {
            case F32 -> bytes.getFloat(i * 4);
            case F16 -> Float.float16ToFloat(bytes.getShort(i * 2));
            case Q8_0 -> Float.float16ToFloat(bytes.getShort(block)) * bytes.get(block + 2 + in);
            case Q4_0 -> {
              int pair = bytes.get(block + 2 + in % 16);
              int nibble = in < 16 ? pair & 15 : (pair >> 4) & 15;
              yield Float.float16ToFloat(bytes.getShort(block)) * (nibble - 8);
            }
            default -> throw new AssertionError(type);
          };
    }
    return weights;
  }

  @Test
  void impossibleShapesAreRefused() {
    Shape shape = Shape.tiny(Architecture.LLAMA);
    for (int[] sizes :
        new int[][] {
          {0, 128, 4, 2, 256, 1024, 512},
          {4, 100, 4, 2, 256, 1024, 512},
          {4, 96, 5, 5, 256, 1024, 512},
          {4, 128, 4, 3, 256, 1024, 512},
          {4, 128, 4, 2, 250, 1024, 512},
          {4, 128, 4, 2, 256, 511, 512},
          {4, 128, 4, 2, 256, 1024, 0},
        }) {
      assertThatIllegalArgumentException()
          .as(Arrays.toString(sizes))
          .isThrownBy(
              () ->
                  new Shape(sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], sizes[6]));
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RandomModel(Architecture.LLAMA, shape, TensorType.Q6_K, true, 1));
  }

  private Path write(Architecture architecture, Shape shape, TensorType type, long seed)
      throws Exception {
    Path path = folder.resolve("%s-%s.gguf".formatted(architecture.key(), type));
    new RandomModel(architecture, shape, type, true, seed).write(path);
    return path;
  }
}
