package dev.cloister.coordinator.residence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.fleet.Replica;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class LoadTimesTest {
  private static final Instant START = Instant.parse("2026-01-01T12:00:00Z");
  private static final Model LARGE = model("large", "a", 10_000_000_000L);
  private static final Model SMALL = model("small", "b", 1_000_000_000L);

  private final LoadTimes times = new LoadTimes();

  private static Model model(String name, String digit, long bytes) {
    return new Model(
        name,
        digit.repeat(64),
        bytes,
        Path.of("/nowhere"),
        Instant.EPOCH,
        Instant.EPOCH,
        ModelOptions.NONE);
  }

  private void loads(Model model, int fetchSeconds, int loadSeconds) {
    times.note("desk", model, new Replica.Fetching(model.name(), 0), START);
    Instant fetched = START.plusSeconds(fetchSeconds);
    times.note("desk", model, new Replica.Loading(model.name(), 0), fetched);
    times.note("desk", model, new Replica.Loading(model.name(), 0.5), fetched.plusSeconds(1));
    times.note(
        "desk",
        model,
        new Replica.Ready(model.name(), 512, 4, "engine", true, java.util.Set.of()),
        fetched.plusSeconds(loadSeconds));
  }

  @Test
  void whatNobodySawIsItsSizeOverANetworkAndADisk() {
    assertThat(times.seconds("desk", SMALL)).isCloseTo(10 + 2 + 0.5, within(0.01));
  }

  @Test
  void whatWasSeenIsExpectedAgainAndItsFileIsThere() {
    loads(LARGE, 50, 8);
    assertThat(times.seconds("desk", LARGE)).isCloseTo(8, within(0.01));
    assertThat(times.seconds("rack", LARGE)).isGreaterThan(100);
  }

  @Test
  void otherModelsAreExpectedToComeAtTheRatesOfThatNode() {
    loads(LARGE, 50, 8);
    assertThat(times.seconds("desk", SMALL)).isCloseTo(5 + 0.75 + 0.5, within(0.01));
  }

  @Test
  void aFileThatWasThereSaysNothingOfTheNetwork() {
    loads(LARGE, 0, 8);
    assertThat(times.seconds("desk", SMALL)).isCloseTo(10 + 0.75 + 0.5, within(0.01));
  }

  @Test
  void whatIsLateIsExpectedToBeLater() {
    loads(LARGE, 50, 8);
    assertThat(times.remainingSeconds("desk", LARGE, START, START.plusSeconds(3))).isEqualTo(5);
    assertThat(times.remainingSeconds("desk", LARGE, START, START.plusSeconds(20))).isEqualTo(4);
  }
}
