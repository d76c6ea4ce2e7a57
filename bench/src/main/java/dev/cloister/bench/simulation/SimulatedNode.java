package dev.cloister.bench.simulation;

import dev.cloister.bench.simulation.PrefixCache.Held;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A node with its engine: a queue, slots, and steps in which every answer gets a token before
 * prompts are computed with the rest, the first one first. Sizes of pieces are those of Cloister's
 * engine.
 */
final class SimulatedNode {
  /** Of prompts, in a step in which answers wait for their tokens. */
  private static final int PIECE = 128;

  /** Of prompts, in other steps. */
  private static final int LARGE_PIECE = 512;

  final int index;
  final NodeKind kind;
  final PrefixCache cache;
  private final Deque<Sequence> queue = new ArrayDeque<>();
  private final List<Sequence> running = new ArrayList<>();

  boolean loaded;
  boolean stepping;
  long loadedNanos;

  SimulatedNode(int index, NodeKind kind, boolean loaded) {
    this.index = index;
    this.kind = kind;
    this.loaded = loaded;
    this.cache = new PrefixCache(kind.cacheTokens());
  }

  /** A request on a node. */
  static final class Sequence {
    final Request request;
    final long arrivedNanos;
    int cachedTokens;
    int made;
    long firstTokenNanos;
    private int uncomputed;
    private int piece;
    private @Nullable Held held;

    Sequence(Request request, long arrivedNanos) {
      this.request = request;
      this.arrivedNanos = arrivedNanos;
    }

    boolean isComplete() {
      return made == request.answerTokens();
    }
  }

  void add(Sequence sequence) {
    queue.addLast(sequence);
  }

  boolean isIdle() {
    return queue.isEmpty() && running.isEmpty();
  }

  /** Gives free slots to those that waited longest, and returns these. */
  List<Sequence> start() {
    List<Sequence> started = new ArrayList<>();
    while (running.size() < kind.slots() && !queue.isEmpty()) {
      Sequence sequence = queue.removeFirst();
      Prompt prompt = sequence.request.prompt();
      sequence.cachedTokens = cache.find(prompt);
      sequence.uncomputed = prompt.tokens() - sequence.cachedTokens;
      running.add(sequence);
      started.add(sequence);
    }
    return started;
  }

  /** Begins a step and returns how long it takes. */
  double beginStep() {
    int answers = 0;
    for (Sequence sequence : running) {
      answers += sequence.uncomputed == 0 ? 1 : 0;
    }
    int most = answers > 0 ? PIECE : LARGE_PIECE;
    int promptTokens = 0;
    for (Sequence sequence : running) {
      sequence.piece = Math.min(sequence.uncomputed, most - promptTokens);
      promptTokens += sequence.piece;
    }
    return kind.stepSeconds(answers, promptTokens);
  }

  /** Ends a step and returns those that got a token; complete ones have left their slots. */
  List<Sequence> endStep() {
    List<Sequence> went = new ArrayList<>();
    for (Sequence sequence : running) {
      sequence.uncomputed -= sequence.piece;
      if (sequence.uncomputed == 0) {
        if (sequence.held == null) {
          sequence.held = cache.computed(sequence.request.prompt());
        }
        sequence.made++;
        went.add(sequence);
      }
    }
    for (Sequence sequence : went) {
      if (sequence.isComplete() && sequence.held != null) {
        running.remove(sequence);
        cache.ended(sequence.held, sequence.made);
      }
    }
    return went;
  }
}
