package dev.cloister.coordinator.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.fakes.MemoryModelRecords;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.placement.Placement.Need;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PlacementTest {
  private static final long GIB = 1L << 30;

  private static Offer node(long memoryBytes) {
    return Offer.of("id", "desk", TestFleet.machine(memoryBytes), OptionalDouble.empty());
  }

  private static Need need(String name, long bytes) {
    Model model = MemoryModelRecords.model(name, bytes);
    return new Need(model, StageMemory.ofFile(bytes));
  }

  @Test
  void whatIsAssignedNeverExceedsTheMemory() {
    for (long seed = 0; seed < 1_000; seed++) {
      Random random = new Random(seed);
      long memory = random.nextLong(64 * GIB);
      List<Need> needs =
          IntStream.range(0, random.nextInt(10))
              .mapToObj(i -> need("m" + i, random.nextLong(40 * GIB)))
              .toList();
      List<Need> assigned = Placement.fill(node(memory), needs);
      long used = assigned.stream().mapToLong(need -> need.memory().totalBytes()).sum();
      assertThat(used).as("seed %d", seed).isLessThanOrEqualTo(memory);
      assertThat(needs).as("seed %d", seed).containsAll(assigned);
      long left = memory - used;
      assertThat(needs.stream().filter(need -> !assigned.contains(need)))
          .as("seed %d: whatever is left out does not fit", seed)
          .allMatch(need -> need.memory().totalBytes() > left);
    }
  }

  @Test
  void aLoadedModelTakesMoreThanItsFile() {
    assertThat(StageMemory.ofFile(10 * GIB).totalBytes()).isBetween(12 * GIB, 13 * GIB);
  }

  @Test
  void aNodeWithoutMemoryGetsNothing() {
    assertThat(Placement.fill(node(0), List.of(need("m", 1)))).isEmpty();
    assertThat(Placement.fill(node(GIB), List.of())).isEmpty();
  }
}
