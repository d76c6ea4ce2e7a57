package dev.cloister.engine.llamacpp.jni;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaIterator;
import de.kherud.llama.LlamaModel;
import dev.cloister.engine.generation.AnswerPart;
import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.generation.StopSequences;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.generation.prompt.Prompt;
import java.util.function.BooleanSupplier;

/**
 * Answers one request at a time per thread; thread-safe.
 *
 * <p>Stop sequences are found here and not by llama.cpp, which drops what it holds back as the
 * possible start of one when the answer ends there.
 */
final class Answering {

  private final LlamaModel model;
  private final ChatTemplate template;
  private final int contextTokens;
  private final boolean addsBeginToken;

  Answering(LlamaModel model, int contextTokens, boolean addsBeginToken) {
    this.model = model;
    this.template = new ChatTemplate(model);
    this.contextTokens = contextTokens;
    this.addsBeginToken = addsBeginToken;
  }

  /**
   * Returns when the answer has ended.
   *
   * @param wanted waits until more is wanted, and tells whether it is; asked between two tokens
   */
  void answer(Generation generation, GenerationListener listener, BooleanSupplier wanted) {
    String prompt;
    try {
      prompt = rendered(generation.prompt());
    } catch (IllegalArgumentException e) {
      listener.failed(
          new RequestException(
              FailureCode.INVALID_REQUEST, "prompt", String.valueOf(e.getMessage())));
      return;
    }
    int promptTokens = model.encode(prompt).length + (addsBeginToken ? 1 : 0);
    if (promptTokens >= contextTokens) {
      listener.failed(
          new RequestException(
              FailureCode.CONTEXT_LENGTH_EXCEEDED,
              "prompt",
              "the prompt has %d tokens, and the context of %d tokens must hold it and an answer; shorten it"
                  .formatted(promptTokens, contextTokens)));
      return;
    }
    listener.started(promptTokens, 0);
    // llama.cpp fails where the context is full, so that it always gets a limit that fits.
    int room = contextTokens - promptTokens;
    int limit = generation.maxTokens() == 0 ? room : Math.min(generation.maxTokens(), room);
    TokenCount count = new TokenCount(model);
    FinishReason reason =
        stream(
            parameters(prompt, generation.sampling(), limit), generation, listener, count, wanted);
    int completionTokens = reason == FinishReason.LENGTH ? limit : Math.min(limit, count.tokens());
    listener.finished(reason, new Usage(promptTokens, 0, completionTokens));
  }

  private FinishReason stream(
      InferenceParameters parameters,
      Generation generation,
      GenerationListener listener,
      TokenCount count,
      BooleanSupplier wanted) {
    if (!wanted.getAsBoolean()) {
      return FinishReason.CANCELLED;
    }
    StopSequences stops = new StopSequences(generation.stop());
    LlamaIterator pieces = model.generate(parameters).iterator();
    try {
      while (true) {
        String piece = pieces.next().text;
        if (!pieces.hasNext()) {
          // The last output repeats no text. An answer that the model ended itself ends with a
          // token without text; otherwise the limit was reached.
          show(stops.rest(), listener);
          return count.lastWasEmpty() ? FinishReason.STOP : FinishReason.LENGTH;
        }
        count.add(piece);
        show(stops.accept(piece), listener);
        if (stops.reached()) {
          return FinishReason.STOP;
        }
        if (!wanted.getAsBoolean()) {
          return FinishReason.CANCELLED;
        }
      }
    } finally {
      if (pieces.hasNext()) {
        pieces.cancel();
      }
    }
  }

  private static void show(String text, GenerationListener listener) {
    if (!text.isEmpty()) {
      listener.part(new AnswerPart.Text(text));
    }
  }

  private String rendered(Prompt prompt) {
    return switch (prompt) {
      case Prompt.Text text -> text.text();
      case Prompt.Chat chat -> {
        synchronized (template) {
          yield template.render(chat.messages());
        }
      }
    };
  }

  private static InferenceParameters parameters(String prompt, Sampling sampling, int limit) {
    InferenceParameters parameters =
        new InferenceParameters(prompt)
            .setNPredict(limit)
            .setCachePrompt(false)
            .setTemperature((float) sampling.temperature())
            .setTopK(sampling.topK())
            .setTopP((float) sampling.topP())
            .setMinP((float) sampling.minP())
            .setTypicalP((float) sampling.typicalP())
            .setRepeatLastN(sampling.penaltyTokens())
            .setRepeatPenalty((float) sampling.repeatPenalty())
            .setFrequencyPenalty((float) sampling.frequencyPenalty())
            .setPresencePenalty((float) sampling.presencePenalty())
            .setTokenIdBias(sampling.logitBias());
    // 31 bits: of llama.cpp's 32-bit seeds the greatest means a random one.
    sampling.seed().ifPresent(v -> parameters.setSeed(Long.hashCode(v) & Integer.MAX_VALUE));
    return parameters;
  }
}
