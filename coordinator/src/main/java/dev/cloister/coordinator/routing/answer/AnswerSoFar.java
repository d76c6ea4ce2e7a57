package dev.cloister.coordinator.routing.answer;

import com.google.common.primitives.Ints;
import dev.cloister.coordinator.inference.Beginning;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What of an answer its caller was told, and the tokens that said it. Not thread-safe. */
public final class AnswerSoFar {
  /** What the caller was told first; null as long as it was told nothing. */
  private @Nullable Started start;

  private int[] tokens = new int[16];
  private int size;
  private int events;

  /** Takes the start; whether it is the first one, and the caller is to be told. */
  public boolean start(Started first) {
    boolean isFirst = start == null;
    start = isFirst ? first : start;
    return isFirst;
  }

  /** Tokens of the prompt that were computed for it, as far as is known. */
  public int computedPromptTokens() {
    return start == null ? 0 : start.promptTokens() - start.cachedPromptTokens();
  }

  /** The end as the caller, who knows of one start only, is told it. */
  public Finished ended(Finished finished) {
    Usage usage = finished.usage();
    return start == null
        ? finished
        : new Finished(
            finished.reason(),
            new Usage(usage.promptTokens(), start.cachedPromptTokens(), usage.completionTokens()));
  }

  /**
   * Takes a piece that the caller is told.
   *
   * @param made the tokens that came with it
   */
  public void add(List<Integer> made) {
    if (made.isEmpty()) {
      events++;
      return;
    }
    tokens = Ints.ensureCapacity(tokens, size + made.size(), size);
    for (int token : made) {
      tokens[size++] = token;
    }
    events = 1;
  }

  /** How many tokens said it. */
  public int tokens() {
    return size;
  }

  public boolean isEmpty() {
    return events == 0;
  }

  /** Whether another node can go on with it: not where the engine did not tell its tokens. */
  public boolean canGoOn() {
    return isEmpty() || size > 0;
  }

  /** Forgets all of it: the caller starts over. */
  public void clear() {
    start = null;
    size = 0;
    events = 0;
  }

  public Beginning beginning() {
    return size == 0
        ? Beginning.NONE
        : new Beginning(Ints.asList(Arrays.copyOf(tokens, size)), events);
  }
}
