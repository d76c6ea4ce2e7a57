package dev.cloister.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopSequencesTest {

  @Test
  void withoutSequencesEveryPieceShowsAtOnce() {
    StopSequences stops = new StopSequences(List.of());
    assertThat(stops.accept("abc")).isEqualTo("abc");
    assertThat(stops.reached()).isFalse();
  }

  @Test
  void holdsBackWhatMayBeTheStart() {
    StopSequences stops = new StopSequences(List.of("END"));
    assertThat(stops.accept("the E")).isEqualTo("the ");
    assertThat(stops.accept("N")).isEmpty();
    assertThat(stops.accept("E")).isEqualTo("EN");
    assertThat(stops.rest()).isEqualTo("E");
  }

  @Test
  void endsBeforeTheFirstSequence() {
    StopSequences stops = new StopSequences(List.of("yy", "x"));
    assertThat(stops.accept("ay")).isEqualTo("a");
    assertThat(stops.accept("bxyy")).isEqualTo("yb");
    assertThat(stops.reached()).isTrue();
    assertThat(stops.accept("more")).isEmpty();
  }

  @Test
  void anyCutOfATextShowsTheSame() {
    for (int seed = 0; seed < 2_000; seed++) {
      Random random = new Random(seed);
      String text = random(random, 30);
      List<String> sequences = List.of(random(random, 3), random(random, 4));
      StopSequences stops = new StopSequences(sequences);
      StringBuilder shown = new StringBuilder();
      for (int at = 0; at < text.length() && !stops.reached(); ) {
        int end = Math.min(text.length(), at + 1 + random.nextInt(4));
        shown.append(stops.accept(text.substring(at, end)));
        at = end;
        assertThat(sequences).as("seed %d", seed).noneMatch(s -> shown.indexOf(s) >= 0);
      }
      shown.append(stops.rest());
      assertThat(sequences).as("seed %d", seed).noneMatch(s -> shown.indexOf(s) >= 0);
      assertThat(text).as("seed %d", seed).startsWith(shown.toString());
      if (!stops.reached()) {
        assertThat(shown).as("seed %d", seed).hasToString(text);
      }
    }
  }

  private static String random(Random random, int most) {
    StringBuilder text = new StringBuilder();
    int length = 1 + random.nextInt(most);
    for (int i = 0; i < length; i++) {
      text.append((char) ('a' + random.nextInt(3)));
    }
    return text.toString();
  }
}
