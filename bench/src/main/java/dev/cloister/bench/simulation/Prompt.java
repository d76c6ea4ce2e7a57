package dev.cloister.bench.simulation;

import java.util.ArrayList;
import java.util.List;

/**
 * A prompt as far as its beginnings matter: segments one after the other, such as a company's
 * instructions and then a conversation. Two prompts have in common the tokens of the segments with
 * which both begin, and of the first segment in which they differ in length.
 */
public record Prompt(List<Segment> segments) {
  /** Tokens that have a mark: the coordinator marks 256 bytes of text. */
  static final int BLOCK_TOKENS = 64;

  /** Of text in which a token has four characters. */
  static final int CHARACTERS_PER_TOKEN = 4;

  /** The first tokens of some text, which {@code id} names. */
  public record Segment(long id, int tokens) {
    public Segment {
      if (tokens < 1) {
        throw new IllegalArgumentException("tokens: " + tokens + " (expected: >= 1)");
      }
    }
  }

  public Prompt {
    segments = List.copyOf(segments);
    if (segments.isEmpty()) {
      throw new IllegalArgumentException("no segments (expected: at least one)");
    }
  }

  public int tokens() {
    return segments.stream().mapToInt(Segment::tokens).sum();
  }

  /** The same with so many tokens more of its last segment: what follows is the answer. */
  Prompt extended(int tokens) {
    Segment last = segments.getLast();
    List<Segment> longer = new ArrayList<>(segments.subList(0, segments.size() - 1));
    longer.add(new Segment(last.id, last.tokens + tokens));
    return new Prompt(longer);
  }

  /** Tokens with which both begin. */
  int common(Prompt other) {
    int common = 0;
    for (int i = 0; i < Math.min(segments.size(), other.segments.size()); i++) {
      Segment own = segments.get(i);
      Segment others = other.segments.get(i);
      if (own.id != others.id) {
        return common;
      }
      common += Math.min(own.tokens, others.tokens);
      if (own.tokens != others.tokens) {
        return common;
      }
    }
    return common;
  }

  /** A mark for each whole block, as {@code routing.prefix.PromptMarks} gives them to text. */
  List<Long> marks() {
    List<Long> marks = new ArrayList<>();
    long before = 0;
    int begin = 0;
    for (Segment segment : segments) {
      long seed = mixed(before ^ segment.id);
      int end = begin + segment.tokens;
      for (int block = (begin / BLOCK_TOKENS + 1) * BLOCK_TOKENS;
          block <= end;
          block += BLOCK_TOKENS) {
        marks.add(mixed(seed ^ (block - begin)));
      }
      before = mixed(seed ^ segment.tokens);
      begin = end;
    }
    return marks;
  }

  /** The final mix of MurmurHash3, off zero. */
  private static long mixed(long value) {
    long mixed = value + 0x9e3779b97f4a7c15L;
    mixed = (mixed ^ (mixed >>> 33)) * 0xff51afd7ed558ccdL;
    mixed = (mixed ^ (mixed >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return mixed ^ (mixed >>> 33);
  }
}
