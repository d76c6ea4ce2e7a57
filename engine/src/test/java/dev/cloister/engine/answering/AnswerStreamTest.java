package dev.cloister.engine.answering;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.engine.chat.parsing.OutputParser;
import dev.cloister.engine.chat.parsing.ReasoningSyntax;
import dev.cloister.engine.chat.parsing.ToolCallSyntax;
import dev.cloister.engine.generation.AnswerPart;
import dev.cloister.engine.generation.Beginning;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.generation.StopSequences;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.model.Vocabulary;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever an answer holds and however it is cut into tokens, it goes on from every event. */
class AnswerStreamTest {
  private static final String CALL =
      "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"ü\"}}</tool_call>";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hello",
        "<think>hm, 水</think>The answer is 😀, of course STO not STOP here",
        "<think>a</think> b " + CALL + "\n" + CALL + " tail ",
        "text" + CALL + CALL + "<tool_call>no call",
        "  <think>never closed STOPPED",
        "ends with what may be a stop: STO",
      })
  void goesOnFromEveryEvent(String text) throws Exception {
    long seed = new Random().nextLong();
    for (int cut = 0; cut < 200; cut++) {
      Random random = new Random(seed + cut);
      List<byte[]> pieces = pieces(text.getBytes(StandardCharsets.UTF_8), random);
      FinishReason end = random.nextBoolean() ? FinishReason.STOP : FinishReason.LENGTH;
      List<Event> whole = answer(pieces, Beginning.NONE, end);
      List<Integer> tokens = new ArrayList<>();
      int parts = 0;
      for (int told = 0; told < whole.size(); told++) {
        List<Event> rest = answer(pieces, new Beginning(tokens, parts), end);
        assertThat(rest).as("seed %d", seed + cut).isEqualTo(whole.subList(told, whole.size()));
        Event next = whole.get(told);
        parts = next.tokens().isEmpty() ? parts + 1 : 1;
        tokens.addAll(next.tokens());
      }
    }
  }

  /**
   * Of up to twelve bytes each, so that a token may hold several parts, and a part of a character.
   */
  private static List<byte[]> pieces(byte[] text, Random random) {
    List<byte[]> pieces = new ArrayList<>();
    int most = 1 + random.nextInt(60);
    int from = 0;
    while (from < text.length) {
      int to = Math.min(text.length, from + 1 + random.nextInt(most));
      pieces.add(Arrays.copyOfRange(text, from, to));
      from = to;
    }
    return pieces;
  }

  /** What a listener hears: a part, or the reason of the end, with the tokens that made it. */
  private record Event(Object said, List<Integer> tokens) {}

  /** Has token {@code i} say the piece {@code i}, and the one behind them end the answer. */
  private static List<Event> answer(List<byte[]> pieces, Beginning beginning, FinishReason end)
      throws RequestException {
    Heard heard = new Heard();
    AnswerStream stream =
        new AnswerStream(
            vocabulary(pieces),
            new OutputParser(
                Optional.of(ToolCallSyntax.HERMES), ReasoningSyntax.TAGGED, Set.of("f")),
            new StopSequences(List.of("STOP")),
            heard);
    boolean goesOn = stream.resume(beginning);
    stream.started(1, 0);
    int next = beginning.tokens().size();
    while (goesOn && next < pieces.size()) {
      goesOn = stream.token(next++, null);
    }
    if (goesOn && end == FinishReason.STOP) {
      stream.ending(next);
    }
    stream.finished(goesOn ? end : FinishReason.STOP, new Usage(1, 0, next));
    return heard.events;
  }

  private static Vocabulary vocabulary(List<byte[]> pieces) {
    return (Vocabulary)
        Proxy.newProxyInstance(
            AnswerStreamTest.class.getClassLoader(),
            new Class<?>[] {Vocabulary.class},
            (_, method, arguments) ->
                switch (method.getName()) {
                  case "size" -> pieces.size() + 1;
                  case "piece" -> pieces.get((int) arguments[0]);
                  case "endsGeneration" -> (int) arguments[0] == pieces.size();
                  case "isControl" -> false;
                  default -> throw new AssertionError(method);
                });
  }

  private static final class Heard implements GenerationListener {
    final List<Event> events = new ArrayList<>();
    private final List<Integer> tokens = new ArrayList<>();

    private void add(Object said) {
      events.add(new Event(said, List.copyOf(tokens)));
      tokens.clear();
    }

    @Override
    public void started(int promptTokens, int cachedTokens) {}

    @Override
    public void token(int token) {
      tokens.add(token);
    }

    @Override
    public void part(AnswerPart part) {
      // Calls have a new name each time.
      add(
          part instanceof AnswerPart.ToolCallPiece call
              ? new AnswerPart.ToolCallPiece(call.index(), "", call.name(), call.arguments())
              : part);
    }

    @Override
    public void finished(FinishReason reason, Usage usage) {
      add(reason);
    }

    @Override
    public void failed(RequestException why) {
      add(why.code());
    }
  }
}
