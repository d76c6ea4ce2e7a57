package dev.cloister.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.routing.Decision.Prediction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RouterTest {
  private static final OptionalDouble UNKNOWN = OptionalDouble.empty();

  @Test
  void theChoiceIsTheSoonestOfTheNodesThatAreNotFull() {
    for (long seed = 0; seed < 2_000; seed++) {
      Random random = new Random(seed);
      List<Candidate> candidates = randomCandidates(random);
      int expected = 1 + random.nextInt(200);
      Decision decision = Router.choose(candidates, expected);

      assertThat(decision.predictions()).as("seed %d", seed).hasSameSizeAs(candidates);
      Optional<Prediction> soonest =
          decision.predictions().stream()
              .filter(prediction -> !prediction.full())
              .min((a, b) -> Double.compare(a.seconds(), b.seconds()));
      Optional<Candidate> choice = decision.choice();
      assertThat(choice.isPresent()).as("seed %d", seed).isEqualTo(soonest.isPresent());
      for (Prediction prediction : decision.predictions()) {
        Candidate candidate = prediction.candidate();
        assertThat(prediction.seconds())
            .as("seed %d", seed)
            .isEqualTo((candidate.pendingTokens() + expected) / prediction.tokensPerSecond());
        assertThat(prediction.full())
            .as("seed %d", seed)
            .isEqualTo(candidate.active() >= 5 * candidate.slots());
        if (choice.isPresent() && candidate.equals(choice.get())) {
          assertThat(prediction.full()).as("seed %d", seed).isFalse();
          assertThat(prediction.seconds())
              .as("seed %d", seed)
              .isEqualTo(soonest.orElseThrow().seconds());
        }
      }
    }
  }

  @Test
  void equalNodesTakeTurns() {
    Map<String, Integer> served = new HashMap<>(Map.of("a", 0, "b", 0, "c", 0));
    for (int i = 0; i < 30; i++) {
      List<Candidate> candidates =
          served.entrySet().stream()
              .map(e -> candidate(e.getKey(), 0, 0, UNKNOWN, e.getValue()))
              .toList();
      served.merge(chosen(candidates), 1, Integer::sum);
    }
    assertThat(served.values()).containsOnly(10);
  }

  @Test
  void aFasterNodeIsPreferredUntilItsQueueCostsMore() {
    Candidate slow = candidate("slow", 0, 0, OptionalDouble.of(10), 0);
    assertThat(chosen(List.of(slow, candidate("fast", 4, 400, OptionalDouble.of(100), 99))))
        .isEqualTo("fast");
    assertThat(chosen(List.of(slow, candidate("fast", 9, 950, OptionalDouble.of(100), 99))))
        .isEqualTo("slow");
  }

  @Test
  void aNodeNotMeasuredYetCountsAsTheFastestAndIsTried() {
    Decision decision =
        Router.choose(
            List.of(
                candidate("slow", 0, 0, OptionalDouble.of(10), 1),
                candidate("fast", 0, 0, OptionalDouble.of(30), 1),
                candidate("new", 0, 0, UNKNOWN, 0)),
            60);
    assertThat(decision.reason())
        .isEqualTo(
            "new: 60 tokens at 30.0/s (assumed) = 2.00 s; fast: 60 tokens at 30.0/s = 2.00 s;"
                + " slow: 60 tokens at 10.0/s = 6.00 s");
  }

  @Test
  void thereIsNoChoiceWithoutNodesOrWhenAllAreFull() {
    assertThat(Router.choose(List.of(), 1).choice()).isEmpty();
    assertThat(Router.choose(List.of(), 1).reason()).isEqualTo("no node has the model ready");
    Decision full = Router.choose(List.of(candidate("a", 20, 0, UNKNOWN, 0)), 1);
    assertThat(full.choice()).isEmpty();
    assertThat(full.reason()).endsWith(", queue full");
  }

  @Test
  void aNodeThatClaimsTwoBillionSlotsIsNotFull() {
    Candidate vast = new Candidate("v", "v", 2_000_000_000, 1, 0, UNKNOWN, 0);
    assertThat(Router.choose(List.of(vast), 1).choice()).hasValue(vast);
  }

  private static String chosen(List<Candidate> candidates) {
    return Router.choose(candidates, 50).choice().orElseThrow().nodeName();
  }

  private static Candidate candidate(
      String name, int active, long pending, OptionalDouble rate, long served) {
    return new Candidate("id-" + name, name, 4, active, pending, rate, served);
  }

  private static List<Candidate> randomCandidates(Random random) {
    List<Candidate> candidates = new ArrayList<>();
    int nodes = random.nextInt(8);
    for (int i = 0; i < nodes; i++) {
      int slots = 1 + random.nextInt(4);
      candidates.add(
          new Candidate(
              "id" + i,
              "node" + i,
              slots,
              random.nextInt(slots * 6),
              random.nextInt(3_000),
              random.nextBoolean()
                  ? OptionalDouble.of(0.5 + random.nextDouble() * 300)
                  : OptionalDouble.empty(),
              random.nextInt(100)));
    }
    return candidates;
  }
}
