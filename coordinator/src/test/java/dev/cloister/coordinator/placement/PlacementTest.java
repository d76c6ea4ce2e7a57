package dev.cloister.coordinator.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.fakes.MemoryModelRecords;
import dev.cloister.coordinator.fakes.TestFleet;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PlacementTest {
  private static final long GIB = 1L << 30;

  @Test
  void whatIsAssignedNeverExceedsTheMemory() {
    for (long seed = 0; seed < 1_000; seed++) {
      Random random = new Random(seed);
      long memory = random.nextLong(64 * GIB);
      List<Model> catalog =
          IntStream.range(0, random.nextInt(10))
              .mapToObj(i -> MemoryModelRecords.model("m" + i, random.nextLong(40 * GIB)))
              .toList();
      List<Model> assigned = Placement.assign(TestFleet.machine(memory), catalog);
      long used = assigned.stream().mapToLong(Placement::neededBytes).sum();
      assertThat(used).as("seed %d", seed).isLessThanOrEqualTo(memory);
      assertThat(catalog).as("seed %d", seed).containsAll(assigned);
      long left = memory - used;
      assertThat(catalog.stream().filter(model -> !assigned.contains(model)))
          .as("seed %d: whatever is left out does not fit", seed)
          .allMatch(model -> Placement.neededBytes(model) > left);
    }
  }

  @Test
  void aLoadedModelTakesMoreThanItsFile() {
    assertThat(Placement.neededBytes(MemoryModelRecords.model("m", 10 * GIB)))
        .isEqualTo(12 * GIB + 256 * (1L << 20));
  }

  @Test
  void aNodeWithoutMemoryGetsNothing() {
    Model model = MemoryModelRecords.model("m", 1);
    assertThat(Placement.assign(TestFleet.machine(0), List.of(model))).isEmpty();
    assertThat(Placement.assign(TestFleet.machine(GIB), List.of())).isEmpty();
  }
}
