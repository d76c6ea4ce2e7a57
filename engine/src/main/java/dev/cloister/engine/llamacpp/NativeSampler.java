package dev.cloister.engine.llamacpp;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.grammar.Grammar;
import dev.cloister.engine.llamacpp.capi.LlamaFunctions;
import dev.cloister.engine.model.DecodeException;
import dev.cloister.engine.model.TokenSampler;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * llama.cpp's samplers, in the order of its server ({@code common/sampling.cpp}), and a grammar
 * beside them: since it costs more than all of them together, it first judges the one token they
 * have chosen, and judges all tokens only if it refuses that one.
 */
final class NativeSampler implements TokenSampler {

  private static final byte NO_PERFORMANCE_COUNTERS = 1;
  private static final long MIN_KEEP = 0;
  private static final int RANDOM_SEED = -1;
  private static final long BIAS_BYTES = 8;
  private static final long NONE = 0;

  private final LlamaFunctions llama;
  private final NativeContext context;
  private final Candidates candidates;
  private final boolean onlyGreatest;
  private final boolean remembers;
  private final long grammar;
  private final long chain;
  private boolean closed;

  NativeSampler(
      LlamaFunctions llama,
      NativeContext context,
      NativeVocabulary vocabulary,
      Sampling sampling,
      Optional<String> grammar) {
    requireKnown(sampling.logitBias(), vocabulary.size());
    this.llama = llama;
    this.context = context;
    this.candidates = context.candidates();
    this.remembers = sampling.penalizes();
    this.onlyGreatest = sampling.greedy() && !remembers && sampling.logitBias().isEmpty();
    this.grammar = grammar.isEmpty() ? NONE : grammar(vocabulary, grammar.get());
    this.chain = llama.samplerChain.toLong(NO_PERFORMANCE_COUNTERS);
    if (!sampling.logitBias().isEmpty()) {
      add(biases(sampling.logitBias(), vocabulary.size()));
    }
    if (remembers) {
      add(
          llama.penalties(
              vocabulary.size(),
              Math.min(sampling.penaltyTokens(), context.cells()),
              (float) sampling.repeatPenalty(),
              (float) sampling.frequencyPenalty(),
              (float) sampling.presencePenalty()));
    }
    if (sampling.greedy()) {
      add(llama.greedy.toLong());
    } else {
      add(llama.topK.toLong(sampling.topK()));
      add(llama.typical.toLong((float) sampling.typicalP(), MIN_KEEP));
      add(llama.topP.toLong((float) sampling.topP(), MIN_KEEP));
      add(llama.minP.toLong((float) sampling.minP(), MIN_KEEP));
      add(llama.temperature.toLong((float) sampling.temperature()));
      add(llama.distribution.toLong(seed(sampling.seed())));
    }
  }

  private void add(long sampler) {
    llama.samplerAdd.run(chain, sampler);
  }

  private static void requireKnown(Map<Integer, Float> biases, int tokens) {
    for (int token : biases.keySet()) {
      if (token < 0 || token >= tokens) {
        throw new IllegalArgumentException(
            "logit_bias: token %d (expected: 0 to %d)".formatted(token, tokens - 1));
      }
    }
  }

  private long grammar(NativeVocabulary vocabulary, String text) {
    // llama.cpp loops, crashes or prints for some of what this refuses.
    String checked = Grammar.parse(text).text();
    try (Arena arena = Arena.ofConfined()) {
      long sampler =
          llama.grammar.toLong(
              vocabulary.address(),
              arena.allocateFrom(checked).address(),
              arena.allocateFrom("root").address());
      if (sampler == NONE) {
        throw new IllegalArgumentException("grammar: llama.cpp does not take it");
      }
      return sampler;
    }
  }

  private long biases(Map<Integer, Float> biases, int tokens) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment list = arena.allocate(biases.size() * BIAS_BYTES, Integer.BYTES);
      long at = 0;
      for (Map.Entry<Integer, Float> bias : biases.entrySet()) {
        list.set(JAVA_INT, at, bias.getKey());
        list.set(JAVA_FLOAT, at + Integer.BYTES, bias.getValue());
        at += BIAS_BYTES;
      }
      return llama.logitBias.toLong(tokens, biases.size(), list.address());
    }
  }

  /** llama.cpp's seeds have 32 bits, and the one with all of them set means a random one. */
  private static int seed(OptionalLong seed) {
    if (seed.isEmpty()) {
      return RANDOM_SEED;
    }
    int folded = Long.hashCode(seed.getAsLong());
    return folded == RANDOM_SEED ? 1 : folded;
  }

  @Override
  public int sample(int place) {
    requireOpen();
    float[] logits = context.row(place);
    int token =
        onlyGreatest ? Logits.greatest(logits) : candidates.all(logits).apply(chain).selected();
    if (grammar != NONE && !allows(token)) {
      if (!candidates.all(logits).apply(grammar).anyPossible()) {
        throw new DecodeException("the grammar allows no token of this model here");
      }
      token = candidates.apply(chain).selected();
      requireAllowed(token);
    }
    remember(token, true);
    return token;
  }

  @Override
  public void accept(int token, boolean generated) {
    requireOpen();
    if (generated && grammar != NONE) {
      requireAllowed(token);
    }
    remember(token, generated);
  }

  private boolean allows(int token) {
    return candidates.only(token).apply(grammar).anyPossible();
  }

  /** llama.cpp ends the process when a grammar is to go on by a token that it does not allow. */
  private void requireAllowed(int token) {
    if (!allows(token)) {
      throw new DecodeException("the grammar does not allow the token that was chosen");
    }
  }

  private void remember(int token, boolean generated) {
    if (generated && grammar != NONE) {
      llama.samplerAccept.run(grammar, token);
    }
    if (remembers) {
      llama.samplerAccept.run(chain, token);
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("this sampler is closed");
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    llama.samplerFree.run(chain);
    if (grammar != NONE) {
      llama.samplerFree.run(grammar);
    }
  }
}
