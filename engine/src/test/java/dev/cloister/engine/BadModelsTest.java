package dev.cloister.engine;

import static dev.cloister.engine.EngineProcess.DEMO_MODEL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cloister.engine.gguf.GgufFile;
import dev.cloister.engine.gguf.GgufValue;
import dev.cloister.engine.gguf.GgufWriter;
import dev.cloister.engine.gguf.TensorBytes;
import dev.cloister.engine.gguf.TensorInfo;
import dev.cloister.engine.gguf.TensorType;
import dev.cloister.proto.engine.v1.ModelState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Files that no engine can run: each is told in one sentence by a process that stays alive. */
class BadModelsTest {
  private static final String LIBRARIES = "dev.cloister.engine.EngineLibrary#available";

  @TempDir private Path directory;

  // No native library sees these two.
  @Test
  void whatIsNoModel() throws Exception {
    assertThat(failure(EngineLibrary.B4916, directory.resolve("missing.gguf")))
        .contains("no such file");
    assertThat(failure(EngineLibrary.B4916, directory)).contains("is not a file");
    assertThat(failure(EngineLibrary.B4916, file("empty.gguf"))).contains("is empty");
    assertThat(
            failure(
                EngineLibrary.B4916,
                file("text.gguf", "Not a model.".getBytes(StandardCharsets.UTF_8))))
        .contains("not a GGUF file");
    assertThat(
            failure(
                EngineLibrary.B4916,
                file(
                    "version.gguf",
                    (byte) 'G',
                    (byte) 'G',
                    (byte) 'U',
                    (byte) 'F',
                    (byte) 9,
                    (byte) 0,
                    (byte) 0,
                    (byte) 0)))
        .contains("version 9 (expected: 2 or 3");
  }

  @Test
  void whatIsCutOff() throws Exception {
    byte[] model = Files.readAllBytes(DEMO_MODEL);
    for (int length : List.of(20, 2_000, 3_000_000, model.length - 1)) {
      failure(EngineLibrary.B4916, file("cut.gguf", Arrays.copyOf(model, length)));
    }
  }

  @ParameterizedTest
  @MethodSource(LIBRARIES)
  void whatIsOfAnArchitectureThatNobodyKnows(EngineLibrary library) throws Exception {
    GgufWriter writer = new GgufWriter();
    copyDemo(writer, "zebra");
    Path file = directory.resolve("zebra.gguf");
    writer.write(file);
    String advice =
        switch (library) {
          case B4916 -> "; a newer one may know it, get it with: cloister engine install llama.cpp";
          case V0_5_0 -> "";
        };
    assertThat(failure(library, file))
        .isEqualTo(
            library.title
                + " cannot load zebra.gguf: unknown model architecture: 'zebra'"
                + advice);
  }

  @ParameterizedTest
  @MethodSource(LIBRARIES)
  void whatIsLargerThanTheMemory(EngineLibrary library) throws Exception {
    GgufWriter writer = new GgufWriter();
    copyDemo(writer, "llama");
    List<Long> half = List.of(1L << 20, 1L << 17);
    // A hole in the file: it takes no space on the disk.
    writer.tensor(
        "blk.0.hole.weight",
        TensorType.F32,
        half,
        out -> {
          SeekableByteChannel file = (SeekableByteChannel) out;
          file.position(file.position() + (1L << 39) - 1);
          file.write(ByteBuffer.allocate(1));
        });
    Path file = directory.resolve("large.gguf");
    writer.write(file);
    assertThat(failure(library, file))
        .matches("model needs about 512.0 GiB, and .* GiB are free; .*");
  }

  @ParameterizedTest
  @MethodSource(LIBRARIES)
  void aContextThatIsLargerThanTheMemory(EngineLibrary library) throws Exception {
    GgufWriter writer = new GgufWriter();
    copyDemo(writer, "llama");
    writer.put("llama.context_length", GgufValue.ofUint32(Integer.MAX_VALUE));
    Path file = directory.resolve("context.gguf");
    writer.write(file);
    String most = Integer.toString(Integer.MAX_VALUE);
    assertThat(failure(library, file, "--context", most, "--slots", "1"))
        .startsWith("KV cache of 2147483647 tokens needs about 8192.0 GiB, and ");
    assertThat(failure(library, file, "--context", most, "--slots", "2"))
        .startsWith("context of 2147483647 tokens for each of 2 slots (expected: at most");
  }

  private static void copyDemo(GgufWriter writer, String architecture) throws Exception {
    GgufFile demo = GgufFile.open(DEMO_MODEL);
    demo.metadata()
        .forEach(
            (key, value) -> writer.put(key.replaceFirst("^llama\\.", architecture + "."), value));
    writer.put("general.architecture", GgufValue.ofText(architecture));
    for (TensorInfo tensor : demo.tensors().values()) {
      writer.tensor(
          tensor.name(),
          tensor.type(),
          tensor.dimensions(),
          out -> out.write(TensorBytes.of(demo, tensor)));
    }
  }

  private Path file(String name, byte... content) throws IOException {
    return Files.write(directory.resolve(name), content);
  }

  private String failure(EngineLibrary library, Path model, String... flags) throws IOException {
    try (EngineProcess engine = EngineProcess.start(library, directory, model, flags)) {
      ModelState state = engine.awaitLoaded();
      assertThat(state.hasFailed()).isTrue();
      String message = state.getFailed().getMessage();
      assertThat(message).isNotEmpty().doesNotContain("\n").doesNotContain("Exception");
      await()
          .atMost(Duration.ofSeconds(5))
          .untilAsserted(() -> assertThat(engine.errors()).contains(message));
      assertThat(engine.errors()).doesNotContain("\tat ");
      assertThat(engine.process.isAlive()).isTrue();
      return message;
    }
  }
}
