package dev.cloister.engine.llamacpp;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.llamacpp.capi.LlamaFunctions;
import dev.cloister.engine.llamacpp.capi.NativeLog;
import dev.cloister.engine.llamacpp.stage.EmbeddingTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * What a first stage has beside its layers: the tokenizer, as a model of llama.cpp's without
 * weights, and the embeddings of tokens.
 */
final class Lexicon implements AutoCloseable {

  private final LlamaFunctions llama;
  private final long model;
  private final EmbeddingTable embeddings;

  private Lexicon(LlamaFunctions llama, long model, EmbeddingTable embeddings) {
    this.llama = llama;
    this.model = model;
    this.embeddings = embeddings;
  }

  /** Loads a file; its embeddings are multiplied by the scale. */
  static Lexicon load(LlamaFunctions llama, NativeLog nativeLog, Path file, float scale)
      throws ModelLoadException {
    EmbeddingTable embeddings = EmbeddingTable.open(llama.tensors, file, scale);
    nativeLog.clear();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment params = llama.modelDefaults(arena);
      llama.version().modelParams().set(params, "vocab_only", true);
      long model = llama.loadModel(arena.allocateFrom(file.toAbsolutePath().toString()), params);
      if (model == 0) {
        embeddings.close();
        throw new ModelLoadException(
            "%s cannot load the lexicon %s: %s"
                .formatted(llama.version().title(), file.getFileName(), nativeLog.reason()));
      }
      return new Lexicon(llama, model, embeddings);
    }
  }

  /** The model that has the tokenizer. */
  long model() {
    return model;
  }

  EmbeddingTable embeddings() {
    return embeddings;
  }

  @Override
  public void close() {
    llama.modelFree.run(model);
    embeddings.close();
  }
}
