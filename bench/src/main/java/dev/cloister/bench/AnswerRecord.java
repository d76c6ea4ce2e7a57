package dev.cloister.bench;

import dev.cloister.engine.generation.AnswerPart;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.generation.TokenLogprob;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.generation.prompt.AnswerFormat;
import dev.cloister.engine.generation.prompt.ChatMessage;
import dev.cloister.engine.generation.prompt.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** The tokens of one greedy answer, each with its probability. */
final class AnswerRecord implements GenerationListener {
  private static final int MOST_TOKENS = 100;

  private final List<TokenLogprob.Choice> tokens = new ArrayList<>();
  private final CompletableFuture<FinishReason> end = new CompletableFuture<>();

  /** Asks a question that starts a chat, and waits for the answer. */
  static AnswerRecord of(LoadedModel model, String question) throws InterruptedException {
    AnswerRecord answer = new AnswerRecord();
    model.generate(
        new Generation(
            new Prompt.Chat(List.of(new ChatMessage(ChatMessage.Role.USER, question))),
            Sampling.GREEDY,
            MOST_TOKENS,
            List.of(),
            new AnswerFormat.Text(),
            OptionalInt.of(0),
            // Nothing is taken from another answer: each prompt is computed from its beginning.
            question),
        answer);
    try {
      answer.end.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("an answer failed", e.getCause());
    }
    return answer;
  }

  List<Integer> tokens() {
    return tokens.stream().map(TokenLogprob.Choice::id).toList();
  }

  /**
   * How much the logarithm of each token's probability differs from that in another answer, up to
   * where the answers part.
   */
  List<Double> differences(AnswerRecord other) {
    List<Double> differences = new ArrayList<>();
    for (int i = 0; i < Math.min(tokens.size(), other.tokens.size()); i++) {
      if (tokens.get(i).id() != other.tokens.get(i).id()) {
        break;
      }
      differences.add(Math.abs((double) tokens.get(i).logprob() - other.tokens.get(i).logprob()));
    }
    return differences;
  }

  @Override
  public void started(int promptTokens, int cachedTokens) {}

  @Override
  public void part(AnswerPart part) {
    if (part instanceof AnswerPart.Text text) {
      text.logprobs().forEach(logprob -> tokens.add(logprob.token()));
    }
  }

  @Override
  public void finished(FinishReason reason, Usage usage) {
    end.complete(reason);
  }

  @Override
  public void failed(RequestException why) {
    end.completeExceptionally(why);
  }
}
