package dev.cloister.engine.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.model.ContextOptions;
import dev.cloister.engine.model.ContextOptions.FlashAttention;
import dev.cloister.engine.model.ContextOptions.KvType;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.DecodeContext.DecodeOutcome;
import dev.cloister.engine.model.KeptState;
import dev.cloister.engine.model.Model;
import dev.cloister.engine.model.Pooling;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A small KV cache that many sequences share for a long time, on each native library: what goes
 * wrong there ends the process, or shows in the logits.
 */
class KvCellsTest {
  private static final int CELLS = 512;
  private static final int BATCH = 128;
  private static final int SEQUENCES = 8;
  private static final int SEQUENCE_TOKENS = 256;
  private static final int STEPS = 800;

  private static List<LlamaCpp> libraries = List.of();

  private final Random random = new Random(4916);
  private final Map<Integer, List<Integer>> held = new TreeMap<>();
  private int moved;
  private int restored;
  private int compared;

  @BeforeAll
  static void start() throws ModelLoadException {
    libraries = Libraries.start();
  }

  static Stream<Arguments> librariesAndTypes() {
    return libraries.stream()
        .flatMap(library -> Stream.of(KvType.values()).map(type -> Arguments.of(library, type)));
  }

  @ParameterizedTest
  @MethodSource("librariesAndTypes")
  void holdsWhatWasComputedHoweverItIsMoved(LlamaCpp library, KvType type) throws Exception {
    try (Model model = Libraries.demo(library);
        DecodeContext context = model.openContext(options(CELLS, type));
        DecodeContext alone = model.openContext(options(SEQUENCE_TOKENS, type))) {
      for (int step = 0; step < STEPS; step++) {
        switch (random.nextInt(9)) {
          case 0 -> copy(context);
          case 1 -> truncate(context);
          case 2 -> remove(context);
          case 3 -> moveOutAndIn(context);
          default -> compute(context, alone);
        }
      }
    }
    assertThat(compared).isGreaterThan(STEPS / 20);
    assertThat(restored).isGreaterThan(STEPS / 100);
    boolean moves = library.version().contains("b4916") && type == KvType.F16;
    assertThat(moved).satisfies(times -> assertThat(times > 0).isEqualTo(moves));
  }

  private static ContextOptions options(int cells, KvType type) {
    return new ContextOptions(
        cells,
        SEQUENCE_TOKENS,
        SEQUENCES,
        BATCH,
        1,
        1,
        type,
        FlashAttention.AUTO,
        true,
        Pooling.NONE);
  }

  private void copy(DecodeContext context) {
    int from = random.nextInt(SEQUENCES);
    int to = random.nextInt(SEQUENCES);
    if (held.containsKey(from) && !held.containsKey(to)) {
      List<Integer> tokens = held.get(from);
      int length = 1 + random.nextInt(tokens.size());
      context.copy(from, to, length);
      held.put(to, new ArrayList<>(tokens.subList(0, length)));
    }
  }

  private void truncate(DecodeContext context) {
    int sequence = random.nextInt(SEQUENCES);
    List<Integer> tokens = held.getOrDefault(sequence, List.of());
    if (tokens.size() > 1) {
      int length = 1 + random.nextInt(tokens.size() - 1);
      assertThat(context.truncate(sequence, length)).isTrue();
      tokens.subList(length, tokens.size()).clear();
    }
  }

  private void remove(DecodeContext context) {
    remove(context, random.nextInt(SEQUENCES));
  }

  private void remove(DecodeContext context, int sequence) {
    context.remove(sequence);
    held.remove(sequence);
  }

  /** Through main memory, into any empty sequence. */
  private void moveOutAndIn(DecodeContext context) {
    int from = random.nextInt(SEQUENCES);
    List<Integer> tokens = held.get(from);
    if (tokens == null) {
      return;
    }
    assertThat(context.keep(from, bytes -> false)).isNull();
    try (KeptState state = Objects.requireNonNull(context.keep(from, bytes -> true))) {
      assertThat(state.bytes()).isGreaterThan(100L * tokens.size());
      remove(context, from);
      int to = random.nextInt(SEQUENCES);
      if (!held.containsKey(to) && context.restore(to, state)) {
        held.put(to, tokens);
        restored++;
      }
    }
  }

  /** The next tokens of a few sequences, which may be new. */
  private void compute(DecodeContext context, DecodeContext alone) {
    Map<Integer, List<Integer>> next = new TreeMap<>();
    int most = random.nextBoolean() ? 1 : 60;
    for (int count = 1 + random.nextInt(4); count > 0; count--) {
      int sequence = random.nextInt(SEQUENCES);
      int room = SEQUENCE_TOKENS - held.getOrDefault(sequence, List.of()).size();
      int tokens = Math.min(1 + random.nextInt(most), Math.min(room, BATCH / 4));
      if (tokens > 0) {
        next.put(sequence, random.ints(tokens, 300, 2000).boxed().toList());
      }
    }
    if (next.isEmpty()) {
      return;
    }
    Map<Integer, Integer> places = new TreeMap<>();
    context.clearBatch();
    next.forEach((sequence, tokens) -> places.put(sequence, add(context, sequence, tokens)));
    if (!decode(context, next)) {
      return;
    }
    next.forEach(
        (sequence, tokens) ->
            held.computeIfAbsent(sequence, id -> new ArrayList<>()).addAll(tokens));
    int any = List.copyOf(next.keySet()).get(random.nextInt(next.size()));
    if (random.nextInt(8) == 0) {
      int place = Objects.requireNonNull(places.get(any));
      compare(context.logits(place), alone, Objects.requireNonNull(held.get(any)));
    }
  }

  private int add(DecodeContext context, int sequence, List<Integer> tokens) {
    int position = held.getOrDefault(sequence, List.of()).size();
    int place = -1;
    for (int i = 0; i < tokens.size(); i++) {
      place = context.add(tokens.get(i), position + i, sequence, i == tokens.size() - 1);
    }
    return place;
  }

  /** As the batcher makes room: cells are moved together, then others are given up. */
  private boolean decode(DecodeContext context, Map<Integer, List<Integer>> next) {
    while (context.decode() == DecodeOutcome.NO_ROOM) {
      if (context.defragment()) {
        moved++;
        if (context.decode() == DecodeOutcome.DONE) {
          return true;
        }
      }
      List<Integer> others = held.keySet().stream().filter(id -> !next.containsKey(id)).toList();
      if (others.isEmpty()) {
        return false;
      }
      int other = others.get(random.nextInt(others.size()));
      context.remove(other);
      held.remove(other);
    }
    return true;
  }

  private void compare(float[] logits, DecodeContext alone, List<Integer> tokens) {
    alone.remove(0);
    int place = -1;
    for (int from = 0; from < tokens.size(); from += BATCH) {
      int[] piece =
          tokens.subList(from, Math.min(tokens.size(), from + BATCH)).stream()
              .mapToInt(Integer::intValue)
              .toArray();
      place = Libraries.prefill(alone, 0, from, piece);
    }
    float[] expected = alone.logits(place);
    double difference =
        IntStream.range(0, logits.length)
            .mapToDouble(i -> Math.abs(logits[i] - expected[i]))
            .max()
            .orElseThrow();
    // Other pieces are summed in another order; a wrong cell changes logits by whole numbers.
    assertThat(difference).isLessThan(0.5);
    compared++;
  }
}
