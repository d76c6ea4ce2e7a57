package dev.cloister.bench.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.bench.simulation.PrefixCache.Held;
import dev.cloister.bench.simulation.PrefixCache.Told;
import dev.cloister.bench.simulation.Prompt.Segment;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PrefixCacheTest {
  private static final Prompt FIRST = chat(1, 100);
  private static final Prompt OTHER = chat(2, 100);

  private static Prompt chat(long name, int tokens) {
    return new Prompt(List.of(new Segment(0, 200), new Segment(name, tokens)));
  }

  @Test
  void prompts_have_in_common_what_they_begin_with() {
    assertThat(FIRST.common(chat(1, 150))).isEqualTo(300);
    assertThat(FIRST.common(OTHER)).isEqualTo(200);
    assertThat(FIRST.common(new Prompt(List.of(new Segment(0, 90))))).isEqualTo(90);
    assertThat(FIRST.common(new Prompt(List.of(new Segment(3, 90))))).isZero();
  }

  @Test
  void marks_are_of_whole_blocks_and_the_same_as_far_as_prompts_are() {
    assertThat(FIRST.marks()).hasSize(4);
    assertThat(OTHER.marks().subList(0, 3)).isEqualTo(FIRST.marks().subList(0, 3));
    assertThat(OTHER.marks().get(3)).isNotEqualTo(FIRST.marks().get(3));
    assertThat(chat(1, 250).marks().subList(0, 4)).isEqualTo(FIRST.marks());
  }

  @Test
  void a_conversation_that_goes_on_takes_the_place_of_its_earlier_state() {
    PrefixCache cache = new PrefixCache(1_000);
    cache.ended(cache.computed(FIRST), 50);

    assertThat(cache.find(chat(1, 200))).isEqualTo(350);
    cache.ended(cache.computed(chat(1, 200)), 50);

    assertThat(cache.tell().dropped()).isEmpty();
    assertThat(cache.find(chat(1, 100))).as("its last token is computed").isEqualTo(299);
  }

  @Test
  void what_is_held_is_told_once_and_what_there_is_no_room_for_is_dropped() {
    PrefixCache cache = new PrefixCache(400);
    Held first = cache.computed(FIRST);
    Told told = cache.tell();
    assertThat(told.held()).isEqualTo(FIRST.marks());
    assertThat(told.tokens()).containsExactly(64, 128, 192, 256);

    cache.ended(first, 50);
    assertThat(cache.tell().isEmpty()).isTrue();

    cache.ended(cache.computed(OTHER), 50);
    told = cache.tell();
    assertThat(told.held()).containsExactly(OTHER.marks().get(3));
    assertThat(told.dropped()).containsExactly(FIRST.marks().get(3));
    assertThat(cache.find(FIRST)).isEqualTo(200);
  }
}
