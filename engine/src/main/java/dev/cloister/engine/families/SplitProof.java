package dev.cloister.engine.families;

import dev.cloister.engine.families.StageChain.Entry;
import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.gguf.GgufException;
import dev.cloister.engine.gguf.GgufModel;
import dev.cloister.engine.llamacpp.LlamaCpp;
import dev.cloister.engine.model.ContextOptions;
import dev.cloister.engine.model.ContextOptions.FlashAttention;
import dev.cloister.engine.model.ContextOptions.KvType;
import dev.cloister.engine.model.DecodeContext.DecodeOutcome;
import dev.cloister.engine.model.Pooling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Runs a model whole and in stages side by side: prompts of several sequences in pieces, then all
 * sequences together token by token, a copied and a cut back one among them. Every row of logits
 * must be equal, bit for bit.
 *
 * @param prompts lengths of the sequences' prompts
 * @param batchTokens computed in one call at most
 * @param generated tokens of each sequence
 */
public record SplitProof(List<Integer> prompts, int batchTokens, int generated) {

  /** Four sequences, longer than the windows of small random models are. */
  public static final SplitProof THOROUGH = new SplitProof(List.of(150, 1, 37, 70), 64, 52);

  private static final int CELLS = 1024;

  public SplitProof {
    prompts = List.copyOf(prompts);
  }

  /**
   * Runs both.
   *
   * @param starts the first layer of each stage but the first
   * @return what was different, in a sentence; empty if nothing was
   */
  public Optional<String> run(LlamaCpp llama, GgufModel model, List<Integer> starts, Path folder)
      throws ModelLoadException, GgufException, IOException {
    ContextOptions options =
        new ContextOptions(
            CELLS,
            CELLS / 2,
            prompts.size() + 1,
            batchTokens,
            1,
            1,
            KvType.F16,
            FlashAttention.AUTO,
            true,
            Pooling.NONE);
    try (StageChain whole = StageChain.open(llama, model, List.of(), options, folder);
        StageChain split = StageChain.open(llama, model, starts, options, folder)) {
      return new Run(whole, split).compare();
    }
  }

  private final class Run {
    private final StageChain whole;
    private final StageChain split;
    private final SplittableRandom random = new SplittableRandom(1);
    private final List<Integer> held = new ArrayList<>();
    private final List<Integer> next = new ArrayList<>();

    Run(StageChain whole, StageChain split) {
      this.whole = whole;
      this.split = split;
    }

    Optional<String> compare() {
      List<Entry> waiting = new ArrayList<>();
      for (int sequence = 0; sequence < prompts.size(); sequence++) {
        int length = prompts.get(sequence);
        for (int position = 0; position < length; position++) {
          int token = random.nextInt(whole.first().vocabulary().size());
          waiting.add(new Entry(token, position, sequence, position == length - 1));
        }
        held.add(length);
        next.add(0);
      }
      for (int from = 0; from < waiting.size(); from += batchTokens) {
        Optional<String> difference =
            step(waiting.subList(from, Math.min(from + batchTokens, waiting.size())));
        if (difference.isPresent()) {
          return difference;
        }
      }
      return generate();
    }

    private Optional<String> generate() {
      for (int step = 0; step < generated; step++) {
        if (step == generated / 2) {
          reorder();
        }
        List<Entry> batch = new ArrayList<>();
        for (int sequence = 0; sequence < held.size(); sequence++) {
          batch.add(new Entry(next.get(sequence), held.get(sequence), sequence, true));
          held.set(sequence, held.get(sequence) + 1);
        }
        Optional<String> difference = step(batch);
        if (difference.isPresent()) {
          return difference;
        }
      }
      return Optional.empty();
    }

    /**
     * One more sequence that begins as the first one did, and the last one goes some tokens back.
     */
    private void reorder() {
      boolean recurrent = whole.first().properties().recurrent();
      int copied = held.getFirst() - (recurrent ? 0 : 3);
      int kept = held.getLast() - 5;
      for (StageChain chain : List.of(whole, split)) {
        chain.stages().forEach(stage -> stage.copy(0, held.size(), copied));
      }
      boolean cut = true;
      for (StageChain chain : List.of(whole, split)) {
        cut &= chain.stages().stream().allMatch(stage -> stage.truncate(held.size() - 1, kept));
      }
      if (cut) {
        held.set(held.size() - 1, kept);
      }
      held.add(copied);
      next.add(next.getFirst());
    }

    private Optional<String> step(List<Entry> batch) {
      DecodeOutcome one = whole.decode(batch);
      DecodeOutcome other = split.decode(batch);
      if (one != DecodeOutcome.DONE || other != DecodeOutcome.DONE) {
        return Optional.of("a batch ended %s whole and %s split".formatted(one, other));
      }
      for (int place = 0; place < batch.size(); place++) {
        Entry entry = batch.get(place);
        if (entry.output()) {
          float[] expected = whole.logits(place);
          float[] logits = split.logits(place);
          int difference = firstDifference(expected, logits);
          if (difference >= 0) {
            return Optional.of(
                "sequence %d, position %d: the logit of token %d is %s whole and %s split"
                    .formatted(
                        entry.sequence(),
                        entry.position(),
                        difference,
                        expected[difference],
                        logits[difference]));
          }
          next.set(entry.sequence(), greatest(expected));
        }
      }
      return Optional.empty();
    }
  }

  /** Bits, so that zeros of different signs differ; what is not a number is never equal. */
  private static int firstDifference(float[] expected, float[] logits) {
    for (int token = 0; token < expected.length; token++) {
      if (Float.isNaN(expected[token])
          || Float.floatToRawIntBits(expected[token]) != Float.floatToRawIntBits(logits[token])) {
        return token;
      }
    }
    return -1;
  }

  private static int greatest(float[] logits) {
    int best = 0;
    for (int token = 1; token < logits.length; token++) {
      if (logits[token] > logits[best]) {
        best = token;
      }
    }
    return best;
  }
}
