package dev.cloister.engine.answering;

import dev.cloister.engine.batching.TokenListener;
import dev.cloister.engine.chat.parsing.OutputParser;
import dev.cloister.engine.chat.parsing.OutputPart;
import dev.cloister.engine.generation.AnswerPart;
import dev.cloister.engine.generation.Beginning;
import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.generation.StopSequences;
import dev.cloister.engine.generation.TokenLogprob;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.model.TokenProbabilities;
import dev.cloister.engine.model.Vocabulary;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Makes the answer of its tokens: whole characters, up to the first stop sequence, taken apart into
 * text, reasoning and tool calls. Belongs to the batcher's thread.
 */
final class AnswerStream implements TokenListener {

  /** Markup that some models write as control tokens, and that the parser needs to see. */
  private static final Set<String> PARSED_MARKUP =
      Set.of(
          "<tool_call>",
          "</tool_call>",
          "<|python_tag|>",
          "[TOOL_CALLS]",
          "[CALL_ID]",
          "[ARGS]",
          "<think>",
          "</think>");

  private static final int CALL_ID_LENGTH = 9;

  private final Vocabulary vocabulary;
  private final OutputParser parser;
  private final StopSequences stops;
  private final GenerationListener listener;
  private final Utf8Pieces characters = new Utf8Pieces();

  /** Tokens whose text is not out yet. */
  private final ArrayDeque<Pending> pending = new ArrayDeque<>();

  private int charactersIn;
  private int charactersOut;
  private boolean calledTools;

  /** Parts that were told before, and are not told again. */
  private int toldParts;

  /** Parts of an answer's beginning that are still to be told, once it has started; then null. */
  private @Nullable List<AnswerPart> owed = new ArrayList<>();

  /** A token whose text ends after so many characters of the answer. */
  private record Pending(TokenLogprob logprob, int end) {}

  AnswerStream(
      Vocabulary vocabulary,
      OutputParser parser,
      StopSequences stops,
      GenerationListener listener) {
    this.vocabulary = vocabulary;
    this.parser = parser;
    this.stops = stops;
    this.listener = listener;
  }

  /**
   * Takes what was made of the answer before.
   *
   * @return whether the answer is to go on
   * @throws RequestException if the answer cannot have begun like this
   */
  boolean resume(Beginning beginning) throws RequestException {
    List<Integer> tokens = beginning.tokens();
    for (int i = 0; i < tokens.size(); i++) {
      int token = tokens.get(i);
      if (token < 0 || token >= vocabulary.size()) {
        throw new RequestException(
            FailureCode.INVALID_REQUEST,
            "resume: token %s (expected: 0 to %d)"
                .formatted(Integer.toUnsignedString(token), vocabulary.size() - 1));
      }
      boolean last = i == tokens.size() - 1;
      toldParts = last ? beginning.toldParts() : Integer.MAX_VALUE;
      if (vocabulary.endsGeneration(token) || !take(token, null)) {
        if (!last) {
          throw new RequestException(
              FailureCode.INVALID_REQUEST,
              "resume: %d tokens (expected: none after the end of the answer, %d)"
                  .formatted(tokens.size(), i + 1));
        }
        return false;
      }
    }
    return true;
  }

  @Override
  public void started(int promptTokens, int cachedTokens) {
    listener.started(promptTokens, cachedTokens);
    List<AnswerPart> first = owed;
    owed = null;
    if (first != null) {
      first.forEach(listener::part);
    }
  }

  @Override
  public boolean ready() {
    return listener.ready();
  }

  @Override
  public boolean token(int token, @Nullable TokenProbabilities probabilities) {
    toldParts = 0;
    listener.token(token);
    return take(token, probabilities);
  }

  @Override
  public void ending(int token) {
    toldParts = 0;
    listener.token(token);
  }

  private boolean take(int token, @Nullable TokenProbabilities probabilities) {
    String text = characters.accept(piece(token));
    charactersIn += text.length();
    if (probabilities != null) {
      pending.add(new Pending(logprob(token, probabilities), charactersIn));
    }
    out(stops.accept(text));
    return !stops.reached();
  }

  private byte[] piece(int token) {
    if (vocabulary.isControl(token)) {
      byte[] markup = vocabulary.piece(token, true);
      return PARSED_MARKUP.contains(new String(markup, StandardCharsets.UTF_8))
          ? markup
          : new byte[0];
    }
    return vocabulary.piece(token, false);
  }

  private TokenLogprob logprob(int token, TokenProbabilities probabilities) {
    int[] topTokens = probabilities.topTokens();
    List<TokenLogprob.Choice> top = new ArrayList<>(topTokens.length);
    for (int i = 0; i < topTokens.length; i++) {
      top.add(choice(topTokens[i], probabilities.topLogprobs()[i]));
    }
    return new TokenLogprob(choice(token, probabilities.logprob()), top);
  }

  private TokenLogprob.Choice choice(int token, float logprob) {
    return new TokenLogprob.Choice(token, vocabulary.piece(token, true), logprob);
  }

  private void out(String text) {
    if (!text.isEmpty()) {
      charactersOut += text.length();
      parser.accept(text).forEach(this::say);
    }
  }

  private void say(OutputPart part) {
    switch (part) {
      case OutputPart.Content(String text) -> tell(new AnswerPart.Text(text, releasedLogprobs()));
      case OutputPart.Reasoning(String text) -> {
        releasedLogprobs();
        tell(new AnswerPart.Reasoning(text));
      }
      case OutputPart.ToolCall(int index, String name, String arguments) -> {
        releasedLogprobs();
        calledTools = true;
        tell(new AnswerPart.ToolCallPiece(index, callId(), name, arguments));
      }
    }
  }

  private void tell(AnswerPart part) {
    if (toldParts > 0) {
      toldParts--;
    } else if (owed != null) {
      owed.add(part);
    } else {
      listener.part(part);
    }
  }

  /**
   * Of the tokens whose text is out; probabilities must not tell what a stop sequence holds back.
   */
  private List<TokenLogprob> releasedLogprobs() {
    if (pending.isEmpty()) {
      return List.of();
    }
    List<TokenLogprob> released = new ArrayList<>();
    while (!pending.isEmpty() && pending.peek().end() <= charactersOut) {
      released.add(pending.remove().logprob());
    }
    return released;
  }

  /**
   * Callers tell calls apart by it over a whole conversation; Mistral's templates want nine letters
   * or digits.
   */
  private static String callId() {
    StringBuilder id = new StringBuilder(CALL_ID_LENGTH);
    for (int i = 0; i < CALL_ID_LENGTH; i++) {
      id.append(Character.forDigit(ThreadLocalRandom.current().nextInt(36), 36));
    }
    return id.toString();
  }

  @Override
  public void finished(FinishReason reason, Usage usage) {
    if (reason != FinishReason.CANCELLED) {
      out(stops.rest());
      parser.end().forEach(this::say);
      List<TokenLogprob> rest = releasedLogprobs();
      if (!rest.isEmpty()) {
        tell(new AnswerPart.Text("", rest));
      }
    }
    boolean called = calledTools && reason == FinishReason.STOP;
    listener.finished(called ? FinishReason.TOOL_CALLS : reason, usage);
  }

  @Override
  public void failed(FailureCode code, String message) {
    listener.failed(new RequestException(code, message));
  }
}
