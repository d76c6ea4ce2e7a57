package dev.cloister.engine.batching;

import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.DecodeException;
import dev.cloister.engine.model.KeptState;
import dev.cloister.engine.model.TokenProbabilities;
import dev.cloister.engine.model.TokenSampler;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * A context whose next token follows from all that its KV cache holds of a sequence, so that a
 * wrong cell shows in the answer. Refuses what a real one would get wrong without a word: positions
 * with holes, copies into sequences that hold something, two threads.
 */
final class FakeContext implements DecodeContext {
  static final int TOKEN_BYTES = 10;

  /** Tokens computed so far. */
  final AtomicLong computed = new AtomicLong();

  /** Batches computed so far. */
  final AtomicInteger batches = new AtomicInteger();

  /** Sequences written to disk so far. */
  final AtomicInteger saves = new AtomicInteger();

  final AtomicInteger openSamplers = new AtomicInteger();

  /** Bytes of states in main memory. */
  final AtomicLong keptBytes = new AtomicLong();

  /** States copied back so far. */
  final AtomicInteger unshelved = new AtomicInteger();

  /** Whether states are not taken back. */
  volatile boolean refuseStates;

  volatile boolean closed;
  volatile boolean failNext;
  volatile boolean noRoomNext;
  volatile boolean broken;

  /** A permit for each batch, where a test wants to hold the thread. */
  volatile Semaphore gate = new Semaphore(Integer.MAX_VALUE / 2);

  private final int cells;
  private final int sequences;
  private final int batchTokens;
  private final boolean recurrent;
  private final Map<Integer, List<int[]>> held = new HashMap<>();
  private final List<int[]> batch = new ArrayList<>();
  private volatile @Nullable Thread owner;

  FakeContext(BatchLimits limits, int cells, int batchTokens) {
    this.cells = cells;
    this.sequences = limits.sequences();
    this.batchTokens = batchTokens;
    this.recurrent = limits.recurrent();
  }

  /** The answer to a prompt, alone. */
  static List<Integer> expected(int[] prompt, int most) {
    List<Integer> tokens = new ArrayList<>();
    int[] all = prompt;
    while (tokens.size() < most) {
      int next = next(Arrays.stream(all).boxed().toList());
      if (next == FakeVocabulary.END) {
        break;
      }
      tokens.add(next);
      all = Arrays.copyOf(all, all.length + 1);
      all[all.length - 1] = next;
    }
    return tokens;
  }

  private static int next(List<Integer> tokens) {
    return Math.floorMod(tokens.hashCode() * 31 + (tokens.hashCode() >>> 7), FakeVocabulary.SIZE);
  }

  /** Cells in use; one that sequences share counts once. */
  int usedCells() {
    Set<int[]> distinct = Collections.newSetFromMap(new IdentityHashMap<>());
    held.values().forEach(distinct::addAll);
    return distinct.size();
  }

  /** The tokens of each sequence that has any. */
  Map<Integer, List<Integer>> tokens() {
    Map<Integer, List<Integer>> tokens = new TreeMap<>();
    held.forEach(
        (sequence, cells) -> {
          if (!cells.isEmpty()) {
            tokens.put(sequence, cells.stream().map(cell -> cell[0]).toList());
          }
        });
    return tokens;
  }

  private List<int[]> of(int sequence) {
    checkOwner();
    if (sequence < 0 || sequence >= sequences) {
      throw new IllegalArgumentException("sequence " + sequence);
    }
    return held.computeIfAbsent(sequence, _ -> new ArrayList<>());
  }

  private void checkOwner() {
    Thread known = owner;
    if (known == null) {
      owner = Thread.currentThread();
    } else if (!known.equals(Thread.currentThread())) {
      throw new IllegalStateException("two threads use one context");
    }
  }

  @Override
  public int cells() {
    return cells;
  }

  @Override
  public int batchTokens() {
    return batchTokens;
  }

  @Override
  public int sequences() {
    return sequences;
  }

  @Override
  public void clearBatch() {
    if (broken) {
      throw new IllegalStateException("told to break");
    }
    batch.clear();
  }

  @Override
  public int add(int token, int position, int sequence, boolean output) {
    if (batch.size() == batchTokens) {
      throw new IllegalStateException("the batch is full");
    }
    batch.add(new int[] {token, position, sequence, output ? 1 : 0, -1});
    return batch.size() - 1;
  }

  /** The hidden state of a token is the token. */
  @Override
  public int addHidden(FloatBuffer states, int position, int sequence, boolean output) {
    return add((int) states.get(), position, sequence, output);
  }

  @Override
  public FloatBuffer hidden() {
    FloatBuffer states = FloatBuffer.allocate(batch.size());
    batch.forEach(entry -> states.put(entry[0]));
    return states.flip();
  }

  @Override
  public int size() {
    return batch.size();
  }

  @Override
  public DecodeOutcome decode() {
    gate.acquireUninterruptibly();
    if (failNext) {
      failNext = false;
      held.values().forEach(tokens -> tokens.subList(tokens.size() / 2, tokens.size()).clear());
      throw new DecodeException("told to fail");
    }
    if (usedCells() + batch.size() > cells || noRoomNext) {
      noRoomNext = false;
      return DecodeOutcome.NO_ROOM;
    }
    for (int[] entry : batch) {
      List<int[]> tokens = of(entry[2]);
      if (tokens.size() != entry[1]) {
        throw new IllegalStateException(
            "position " + entry[1] + " of a sequence of " + tokens.size());
      }
      tokens.add(new int[] {entry[0]});
      entry[4] = next(tokens.stream().map(t -> t[0]).toList());
    }
    computed.addAndGet(batch.size());
    batches.incrementAndGet();
    return DecodeOutcome.DONE;
  }

  @Override
  public TokenSampler newSampler(Sampling sampling, Optional<String> grammar) {
    if (grammar.isPresent()) {
      throw new IllegalArgumentException("grammar: not one this context takes");
    }
    openSamplers.incrementAndGet();
    return new TokenSampler() {
      @Override
      public int sample(int place) {
        if (batch.get(place)[3] == 0) {
          throw new IllegalStateException("no output was asked for");
        }
        return batch.get(place)[4];
      }

      @Override
      public void accept(int token, boolean generated) {}

      @Override
      public void close() {
        openSamplers.decrementAndGet();
      }
    };
  }

  @Override
  public TokenProbabilities probabilities(int place, int token, int top) {
    return new TokenProbabilities(-1, new int[top], new float[top]);
  }

  @Override
  public float[] logits(int place) {
    return new float[FakeVocabulary.SIZE];
  }

  @Override
  public float[] embedding(int sequence) {
    return new float[0];
  }

  @Override
  public boolean truncate(int sequence, int fromPosition) {
    List<int[]> tokens = of(sequence);
    if (recurrent && fromPosition < tokens.size()) {
      return false;
    }
    tokens.subList(fromPosition, tokens.size()).clear();
    return true;
  }

  @Override
  public void remove(int sequence) {
    of(sequence).clear();
  }

  @Override
  public void copy(int from, int to, int tokens) {
    if (!of(to).isEmpty()) {
      throw new IllegalStateException("the sequence to copy into is not empty");
    }
    if (recurrent && tokens != of(from).size()) {
      throw new IllegalStateException("a part of a recurrent state");
    }
    of(to).addAll(of(from).subList(0, tokens));
  }

  @Override
  public boolean defragment() {
    return false;
  }

  @Override
  public long save(int sequence, int[] tokens, Path file) throws IOException {
    int[] mine = of(sequence).stream().mapToInt(t -> t[0]).toArray();
    if (!Arrays.equals(mine, tokens)) {
      throw new IllegalStateException("not what the sequence holds");
    }
    saves.incrementAndGet();
    Files.writeString(file, Arrays.stream(tokens).boxed().toList().toString());
    return Files.size(file);
  }

  @Override
  public int[] restore(int sequence, Path file) throws IOException {
    String text = Files.readString(file);
    if (!text.startsWith("[") || !text.endsWith("]")) {
      throw new IOException("no state");
    }
    int[] tokens =
        Arrays.stream(text.substring(1, text.length() - 1).split(", "))
            .mapToInt(Integer::parseInt)
            .toArray();
    for (int token : tokens) {
      of(sequence).add(new int[] {token});
    }
    return tokens;
  }

  @Override
  public @Nullable KeptState keep(int sequence, LongPredicate room) {
    Kept kept = new Kept(List.copyOf(of(sequence)));
    if (!room.test(kept.bytes())) {
      return null;
    }
    keptBytes.addAndGet(kept.bytes());
    return kept;
  }

  @Override
  public boolean restore(int sequence, KeptState state) {
    Kept kept = (Kept) state;
    if (kept.closed || !of(sequence).isEmpty()) {
      throw new IllegalStateException("a closed state, or a sequence that is not empty");
    }
    if (refuseStates || usedCells() + kept.tokens.size() > cells) {
      return false;
    }
    kept.tokens.forEach(token -> of(sequence).add(token.clone()));
    unshelved.incrementAndGet();
    return true;
  }

  /** As many bytes a token as the constant says. */
  private final class Kept implements KeptState {
    final List<int[]> tokens;
    boolean closed;

    Kept(List<int[]> tokens) {
      this.tokens = tokens;
    }

    @Override
    public long bytes() {
      return (long) tokens.size() * TOKEN_BYTES;
    }

    @Override
    public void close() {
      if (closed) {
        throw new IllegalStateException("closed twice");
      }
      closed = true;
      keptBytes.addAndGet(-bytes());
    }
  }

  @Override
  public void close() {
    closed = true;
  }
}
