package dev.cloister.engine.grammar;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A set of Unicode code points as sorted ranges that do not touch. Immutable.
 *
 * @param ranges first and last code point of each range, both included
 */
record CodePoints(List<Range> ranges) {

  /** Code points from {@code first} to {@code last}, both included. */
  record Range(int first, int last) {}

  static final CodePoints NONE = new CodePoints(List.of());

  static final CodePoints ALL = NONE.complement();

  /**
   * What can come out of a model as text: not the surrogates, which no UTF-8 holds, and not NUL,
   * which ends llama.cpp's strings.
   */
  static final CodePoints TEXT = range(0xD800, 0xDFFF).union(of(0)).complement();

  CodePoints {
    ranges = List.copyOf(ranges);
  }

  static CodePoints of(int codePoint) {
    return range(codePoint, codePoint);
  }

  static CodePoints range(int first, int last) {
    return new CodePoints(List.of(new Range(first, last)));
  }

  /** The set of all the ranges, which may come in any order and overlap. */
  static CodePoints of(List<Range> ranges) {
    return new CodePoints(joined(new ArrayList<>(ranges)));
  }

  static CodePoints anyOf(String text) {
    return of(text.codePoints().mapToObj(c -> new Range(c, c)).toList());
  }

  CodePoints union(CodePoints other) {
    List<Range> all = new ArrayList<>(ranges);
    all.addAll(other.ranges);
    return new CodePoints(joined(all));
  }

  CodePoints complement() {
    List<Range> gaps = new ArrayList<>();
    int next = 0;
    for (Range range : ranges) {
      if (range.first > next) {
        gaps.add(new Range(next, range.first - 1));
      }
      next = range.last + 1;
    }
    if (next <= Character.MAX_CODE_POINT) {
      gaps.add(new Range(next, Character.MAX_CODE_POINT));
    }
    return new CodePoints(gaps);
  }

  CodePoints intersection(CodePoints other) {
    return complement().union(other.complement()).complement();
  }

  CodePoints minus(CodePoints other) {
    return complement().union(other).complement();
  }

  boolean isEmpty() {
    return ranges.isEmpty();
  }

  boolean contains(int codePoint) {
    for (Range range : ranges) {
      if (range.first <= codePoint && codePoint <= range.last) {
        return true;
      }
    }
    return false;
  }

  private static List<Range> joined(List<Range> ranges) {
    ranges.sort(Comparator.comparingInt(Range::first));
    List<Range> joined = new ArrayList<>();
    for (Range range : ranges) {
      if (!joined.isEmpty() && range.first <= joined.getLast().last + 1) {
        Range before = joined.removeLast();
        joined.add(new Range(before.first, Math.max(before.last, range.last)));
      } else {
        joined.add(range);
      }
    }
    return joined;
  }
}
