package dev.cloister.engine.batching;

import dev.cloister.engine.stage.Pipeline;
import dev.cloister.engine.stage.Run;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What goes into the next step: tokens that answers go on by first, so that no prompt holds them
 * up, then pieces of prompts. Where several steps are under way, each gets its share of both, so
 * that no stage waits for another. Belongs to the batcher's thread.
 */
final class StepPlan {
  /** So many pieces for each stage keep the stages waiting for a small part of the time only. */
  private static final int PIECES = 8;

  /** Smaller pieces are computed noticeably slower, token by token. */
  private static final int LEAST_PIECE = 128;

  private static final int BLOCK = 32;

  private final int batchTokens;
  private final int depth;
  private final PrefillPace pace;
  private final List<Part> parts = new ArrayList<>();
  private final List<Run> runs = new ArrayList<>();
  private final TokenList tokens = new TokenList(new int[0]);
  private int promptTokens;

  /** A sequence's part of a step. */
  record Part(Sequence sequence, int tokens, boolean output) {}

  StepPlan(Pipeline pipeline, PrefillPace pace) {
    this.batchTokens = pipeline.batchTokens();
    this.depth = pipeline.depth();
    this.pace = pace;
  }

  /** Plans anew; whether there is anything to compute. */
  boolean fill(List<Sequence> active, int mostPromptTokens) {
    parts.clear();
    runs.clear();
    tokens.truncate(0);
    promptTokens = 0;
    addAnswers(active);
    addPrompts(active, mostPromptTokens);
    return !parts.isEmpty();
  }

  private void addAnswers(List<Sequence> active) {
    int generating = 0;
    for (Sequence sequence : active) {
      generating += sequence.generating() ? 1 : 0;
    }
    int most = Math.min(batchTokens, Math.ceilDiv(generating, depth));
    for (Sequence sequence : active) {
      if (parts.size() < most && sequence.generating() && sequence.uncomputed() == 1) {
        if (sequence.ready()) {
          add(sequence, 1);
        }
      }
    }
  }

  private void addPrompts(List<Sequence> active, int mostPromptTokens) {
    int computing = 0;
    int answering = parts.size();
    long prompts = 0;
    for (Sequence sequence : active) {
      if (sequence.generating()) {
        answering += sequence.underWay > 0 ? 1 : 0;
      } else if (sequence.uncomputed() > 0) {
        computing++;
        prompts += sequence.tokens.size();
      }
    }
    int paced = Math.min(pace.tokens(answering, computing), piece(prompts));
    int left = Math.min(Math.min(batchTokens - tokens.size(), paced), mostPromptTokens);
    for (Sequence sequence : active) {
      if (left > 0 && !sequence.generating() && sequence.uncomputed() > 0) {
        int taken = Math.min(left, sequence.uncomputed());
        add(sequence, taken);
        promptTokens += taken;
        left -= taken;
      }
    }
  }

  private int piece(long prompts) {
    if (depth == 1) {
      return batchTokens;
    }
    long share = Math.ceilDiv(prompts, (long) PIECES * depth * BLOCK) * BLOCK;
    return Math.clamp(share, LEAST_PIECE, Math.max(LEAST_PIECE, batchTokens));
  }

  private void add(Sequence sequence, int count) {
    for (int i = 0; i < count; i++) {
      tokens.add(sequence.tokens.get(sequence.computed + i));
    }
    boolean last = sequence.uncomputed() == count;
    Run.@Nullable Output output =
        last ? new Run.Output(sequence.sampler, sequence.request.topLogprobs()) : null;
    runs.add(new Run(sequence.id, sequence.computed, count, output));
    parts.add(new Part(sequence, count, last));
  }

  List<Part> parts() {
    return parts;
  }

  List<Run> runs() {
    return List.copyOf(runs);
  }

  /** Of all runs, one after the other. */
  int[] tokens() {
    return tokens.toArray();
  }

  int promptTokens() {
    return promptTokens;
  }
}
