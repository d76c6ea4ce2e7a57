package dev.cloister.engine.llamacpp;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.library.InstalledLibrary;
import dev.cloister.engine.library.TestLibraryCache;
import dev.cloister.engine.model.ContextOptions;
import dev.cloister.engine.model.ContextOptions.FlashAttention;
import dev.cloister.engine.model.ContextOptions.KvType;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.DecodeContext.DecodeOutcome;
import dev.cloister.engine.model.Model;
import dev.cloister.engine.model.Pooling;
import dev.cloister.engine.model.TokenSampler;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The native libraries that tests run on: b4916 always, v0.5.0 where {@link TestLibraryCache} has
 * it.
 */
final class Libraries {

  static final Path DEMO_MODEL =
      Path.of("..", "models", "demo", "cloister-tiny-q8_0.gguf").toAbsolutePath().normalize();
  static final Path CACHE = Path.of("target", "library-cache");

  private Libraries() {}

  /** Starts each library anew: it then tells its messages to this instance. */
  static List<LlamaCpp> start() throws ModelLoadException {
    List<LlamaCpp> libraries = new ArrayList<>();
    libraries.add(LlamaCpp.b4916(CACHE).orElseThrow());
    Optional<InstalledLibrary> installed = TestLibraryCache.library();
    if (installed.isPresent()) {
      libraries.add(LlamaCpp.v050(installed.get().backendFolders()));
    }
    return libraries;
  }

  static Model demo(LlamaCpp library) throws ModelLoadException {
    return library.load(DEMO_MODEL, LoadOptions.CPU, progress -> {});
  }

  static ContextOptions options(int cells, KvType kvType, FlashAttention flash, Pooling pooling) {
    return new ContextOptions(
        cells, cells, 4, Math.min(cells, 512), 1, 1, kvType, flash, true, pooling);
  }

  static DecodeContext open(Model model) throws ModelLoadException {
    return model.openContext(options(1024, KvType.F16, FlashAttention.AUTO, Pooling.NONE));
  }

  static String user(String question) {
    return "<|im_start|>user\n" + question + "<|im_end|>\n<|im_start|>assistant\n";
  }

  /** Computes tokens that follow what a sequence holds; logits are there for the last one. */
  static int prefill(DecodeContext context, int sequence, int position, int... tokens) {
    context.clearBatch();
    int place = -1;
    for (int i = 0; i < tokens.length; i++) {
      place = context.add(tokens[i], position + i, sequence, i == tokens.length - 1);
    }
    if (context.decode() != DecodeOutcome.DONE) {
      throw new IllegalStateException("no room");
    }
    return place;
  }

  /** Goes on from a place, until the model ends or enough is said; the end is not among them. */
  static List<Integer> answer(
      Model model, DecodeContext context, TokenSampler sampler, int place, int held, int most) {
    List<Integer> answer = new ArrayList<>();
    int next = place;
    while (answer.size() < most) {
      int token = sampler.sample(next);
      if (model.vocabulary().endsGeneration(token)) {
        break;
      }
      answer.add(token);
      next = prefill(context, 0, held + answer.size() - 1, token);
    }
    return answer;
  }

  /** What sequence 0, emptied before, says to a prompt. */
  static List<Integer> say(
      Model model,
      DecodeContext context,
      String prompt,
      Sampling sampling,
      Optional<String> grammar,
      int most) {
    int[] tokens = model.vocabulary().tokenize(prompt, true, true);
    context.remove(0);
    int place = prefill(context, 0, 0, tokens);
    try (TokenSampler sampler = context.newSampler(sampling, grammar)) {
      for (int token : tokens) {
        sampler.accept(token, false);
      }
      return answer(model, context, sampler, place, tokens.length, most);
    }
  }

  static String text(Model model, List<Integer> tokens) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    tokens.forEach(token -> bytes.writeBytes(model.vocabulary().piece(token, false)));
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
