package dev.cloister.engine.llamacpp.stage;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.gguf.GgufException;
import dev.cloister.engine.gguf.GgufFile;
import dev.cloister.engine.gguf.TensorInfo;
import dev.cloister.engine.gguf.TensorType;
import dev.cloister.engine.llamacpp.capi.GgmlTensors;
import dev.cloister.engine.llamacpp.capi.NativeFunction;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The embeddings of tokens, mapped from a GGUF file: rows as the first layer wants them, bit for
 * bit what llama.cpp's own look-up gives. Thread-safe.
 */
public final class EmbeddingTable implements AutoCloseable {

  private static final String TENSOR = "token_embd.weight";

  private final Arena arena = Arena.ofShared();
  private final MemorySegment rows;
  private final int tokens;
  private final int width;
  private final long rowBytes;
  private final float scale;

  /** Null for numbers that are floats already. */
  private final @Nullable NativeFunction toFloat;

  private EmbeddingTable(
      Path file, GgufFile gguf, TensorInfo tensor, float scale, @Nullable NativeFunction toFloat)
      throws IOException {
    this.width = Math.toIntExact(tensor.dimensions().getFirst());
    this.tokens = Math.toIntExact(tensor.dimensions().getLast());
    this.rowBytes = tensor.bytes() / tokens;
    this.scale = scale;
    this.toFloat = toFloat;
    try (FileChannel channel = FileChannel.open(file)) {
      this.rows =
          channel.map(
              MapMode.READ_ONLY, gguf.dataOffset() + tensor.offset(), tensor.bytes(), arena);
    }
  }

  /**
   * Maps the table of a file.
   *
   * @param scale that the architecture multiplies embeddings by
   * @throws ModelLoadException if the file has none, or none that the library can read
   */
  public static EmbeddingTable open(GgmlTensors ggml, Path file, float scale)
      throws ModelLoadException {
    try {
      GgufFile gguf = GgufFile.open(file);
      TensorInfo tensor =
          gguf.tensor(TENSOR)
              .filter(found -> found.dimensions().size() == 2)
              .orElseThrow(
                  () ->
                      new ModelLoadException(
                          "lexicon %s has no matrix %s (expected: one row a token)"
                              .formatted(file.getFileName(), TENSOR)));
      TensorType type = tensor.type();
      return new EmbeddingTable(
          file, gguf, tensor, scale, type == TensorType.F32 ? null : ggml.toFloat(type));
    } catch (GgufException | IOException e) {
      throw new ModelLoadException(
          "lexicon %s: %s".formatted(file.getFileName(), e.getMessage()), e);
    }
  }

  /** Numbers in a row. */
  public int width() {
    return width;
  }

  /**
   * Writes a token's row.
   *
   * @throws IndexOutOfBoundsException for a token that there is not
   */
  public void row(int token, MemorySegment target) {
    MemorySegment row = rows.asSlice(Objects.checkIndex(token, tokens) * rowBytes, rowBytes);
    if (toFloat == null) {
      MemorySegment.copy(row, 0, target, 0, rowBytes);
    } else {
      toFloat.run(row.address(), target.address(), width);
    }
    if (scale != 1) {
      for (int i = 0; i < width; i++) {
        target.setAtIndex(JAVA_FLOAT, i, target.getAtIndex(JAVA_FLOAT, i) * scale);
      }
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
