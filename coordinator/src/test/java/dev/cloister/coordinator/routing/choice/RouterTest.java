package dev.cloister.coordinator.routing.choice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cloister.coordinator.routing.choice.Ask.Wait;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

class RouterTest {
  private static final Ask ASK = new Ask(100, 50);

  @Test
  void theChoiceIsTheSoonestOfThoseThatAreAllowedAndNotFull() {
    for (long seed = 0; seed < 2_000; seed++) {
      Random random = new Random(seed);
      List<Candidate> candidates = randomCandidates(random);
      Router router = routerOf(candidates);
      Map<String, Integer> cached = new HashMap<>();
      candidates.forEach(
          candidate -> {
            if (random.nextInt(3) == 0) {
              cached.put(candidate.nodeId(), random.nextInt(300));
            }
          });
      cached.put("not there", 20);
      Predicate<Candidate> allowed = candidate -> candidate.served() % 7 != 0;
      Ask ask = new Ask(random.nextInt(200), 1 + random.nextInt(200));

      Decision decision = router.choose(ask, cached, allowed);

      List<Prediction> expected =
          candidates.stream()
              .filter(allowed)
              .map(c -> new Prediction(c, ask, cached.getOrDefault(c.nodeId(), 0)))
              .sorted(
                  Comparator.<Prediction, Boolean>comparing(p -> p.candidate().ejected())
                      .thenComparing(p -> p.candidate().full())
                      .thenComparingDouble(Prediction::seconds))
              .toList();
      assertThat(decision.candidates()).as("seed %d", seed).isEqualTo(candidates.size());
      assertThat(decision.predictions())
          .as("seed %d", seed)
          .hasSize(Math.min(Router.MOST_TOLD, expected.size()));
      for (int rank = 0; rank < decision.predictions().size(); rank++) {
        assertThat(decision.predictions().get(rank).seconds())
            .as("seed %d, rank %d", seed, rank)
            .isCloseTo(expected.get(rank).seconds(), within(1e-5));
      }
      assertThat(decision.ready().isPresent())
          .as("seed %d", seed)
          .isEqualTo(
              decision.predictions().stream()
                  .anyMatch(p -> p.candidate().host().isLoaded() && !p.candidate().full()));
    }
  }

  @Test
  void whatIsRemovedIsNoCandidateAndTheOthersStay() {
    for (long seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      List<Candidate> candidates =
          new ArrayList<>(randomCandidates(random).stream().limit(Router.MOST_TOLD).toList());
      Router router = routerOf(candidates);
      router.remove("never there");
      while (!candidates.isEmpty()) {
        router.remove(candidates.remove(random.nextInt(candidates.size())).nodeId());
        assertThat(router.choose(ASK, Map.of(), RouterTest::any).predictions())
            .as("seed %d", seed)
            .extracting(Prediction::candidate)
            .containsExactlyInAnyOrderElementsOf(candidates);
      }
    }
  }

  @Test
  void equalNodesTakeTurns() {
    Map<String, Integer> served = new HashMap<>(Map.of("a", 0, "b", 0, "c", 0));
    for (int i = 0; i < 30; i++) {
      served.merge(
          chosen(
              served.entrySet().stream()
                  .map(e -> candidate(e.getKey(), 0, 0, Speed.ASSUMED, e.getValue()))
                  .toList()),
          1,
          Integer::sum);
    }
    assertThat(served.values()).containsOnly(10);
  }

  @Test
  void aFasterNodeIsPreferredUntilItsQueueCostsMore() {
    Candidate slow = candidate("slow", 0, 0, speed(10), 0);
    assertThat(chosen(List.of(slow, candidate("fast", 4, 400, speed(100), 99)))).isEqualTo("fast");
    assertThat(chosen(List.of(slow, candidate("fast", 10, 4_000, speed(100), 99))))
        .isEqualTo("slow");
  }

  @Test
  void aNodeThatMustLoadTheModelFirstIsToDoSoWhenTheQueueIsWorthIt() {
    Candidate cold =
        new Candidate(host("cold", 4, OptionalDouble.of(8)), speed(100), 0, 0, 0, 0, 0, 20);
    Candidate warm = candidate("warm", 4, 1_000, speed(100), 9);
    assertThat(decide(List.of(cold, warm), ASK).toLoad(0)).isEmpty();
    Candidate busy = candidate("warm", 16, 8_000, speed(100), 9);
    assertThat(decide(List.of(cold, busy), ASK).toLoad(0)).hasValue(cold);
    assertThat(chosen(List.of(cold, busy))).isEqualTo("warm");
  }

  @Test
  void whoIsAloneWaitsForAFullNodeThatIsSoonerNevertheless() {
    Candidate full = candidate("full", 20, 2_000, speed(100), 0);
    Candidate slow = candidate("slow", 0, 0, speed(1), 0);
    Ask alone = ASK.with(Wait.FOR_THE_BEST);
    assertThat(decide(List.of(full, slow), alone).ready()).isEmpty();
    assertThat(decide(List.of(full, slow), ASK.with(Wait.BRIEFLY)).ready()).isPresent();
    assertThat(decide(List.of(full, slow), ASK).ready()).isPresent();
    Candidate quick = candidate("quick", 0, 0, speed(90), 0);
    assertThat(decide(List.of(full, slow, quick), alone).ready())
        .hasValueSatisfying(chosen -> assertThat(chosen.candidate()).isEqualTo(quick));
  }

  @Test
  void nobodyWaitsForANodeThatIsTriedAgainAfterFailures() {
    Candidate tried =
        new Candidate(host("tried", 4, OptionalDouble.empty()), speed(100), 0, 1, 50, 0, 0, 1);
    Candidate slow = candidate("slow", 0, 0, speed(1), 0);
    assertThat(decide(List.of(tried, slow), ASK.with(Wait.FOR_THE_BEST)).ready())
        .hasValueSatisfying(chosen -> assertThat(chosen.candidate()).isEqualTo(slow));
  }

  @Test
  void whereOthersWaitANodeIsGivenNoMoreThanItBeginsWithinAMoment() {
    Ask ask = ASK.with(Wait.BRIEFLY);
    Candidate busy = candidate("busy", 5, 3_000, speed(100), 0);
    Decision waits = decide(List.of(busy), ask);
    assertThat(waits.ready()).isEmpty();
    assertThat(waits.hasLoaded()).isTrue();
    assertThat(waits.toString()).endsWith(", queue full");
    assertThat(decide(List.of(busy), ASK).ready()).isPresent();
    assertThat(decide(List.of(candidate("free", 5, 250, speed(100), 0)), ask).ready()).isPresent();
    Candidate idle = candidate("idle", 0, 0, speed(1), 0);
    assertThat(decide(List.of(busy, idle), ask).ready())
        .hasValueSatisfying(chosen -> assertThat(chosen.candidate()).isEqualTo(idle));
  }

  @Test
  void whereOthersWaitOneRequestWaitsOnANodeWhoseSpeedIsAssumed() {
    Ask ask = ASK.with(Wait.BRIEFLY);
    Candidate next = candidate("unseen", 4, 3_000, Speed.ASSUMED, 0);
    assertThat(decide(List.of(next), ask).ready()).isPresent();
    Candidate more = candidate("unseen", 5, 250, Speed.ASSUMED, 0);
    assertThat(decide(List.of(more), ask).ready()).isEmpty();
    assertThat(decide(List.of(more), ASK).ready()).isPresent();
  }

  private static Decision decide(List<Candidate> candidates, Ask ask) {
    return routerOf(candidates).choose(ask, Map.of(), RouterTest::any);
  }

  @Test
  void aConversationStaysWhereItsBeginningIsUnlessMovingIsFaster() {
    Ask conversation = new Ask(4_000, 50);
    Candidate home = candidate("home", 0, 0, speed(20), 5);
    Candidate faster = candidate("faster", 0, 0, speed(25), 0);
    Router router = routerOf(List.of(home, faster));
    Map<String, Integer> cached = Map.of("id-home", 3_900);
    assertThat(chosen(router, conversation, cached)).isEqualTo("home");
    assertThat(chosen(router, conversation, Map.of())).isEqualTo("faster");
    Candidate busy = candidate("home", 12, 9_000, speed(20), 5);
    router.put(busy);
    assertThat(chosen(router, conversation, cached)).isEqualTo("faster");
  }

  @Test
  void promptsThatOthersWaitForAndTheWayThereCount() {
    Candidate idle = candidate("idle", 0, 0, speed(20), 9);
    Candidate reading =
        new Candidate(host("reading", 4, OptionalDouble.empty()), speed(20), 0, 1, 0, 5_000, 0, 20);
    Candidate far =
        new Candidate(host("far", 4, OptionalDouble.empty()), speed(20), 0.2, 0, 0, 0, 0, 20);
    assertThat(chosen(List.of(reading, idle, far))).isEqualTo("idle");
  }

  @Test
  void thereIsNoChoiceWithoutNodesOrWhenAllAreFull() {
    Decision none = new Router().choose(ASK, Map.of(), RouterTest::any);
    assertThat(none.ready()).isEmpty();
    assertThat(none).hasToString("no node has the model ready");
    Decision full =
        routerOf(List.of(candidate("a", 20, 0, Speed.ASSUMED, 0)))
            .choose(ASK, Map.of(), RouterTest::any);
    assertThat(full.ready()).isEmpty();
    assertThat(full.toString()).endsWith(", queue full");
  }

  @Test
  void aDecisionSaysTheTermsOfTheBestAndHowManyOthersThereWere() {
    List<Candidate> candidates = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      candidates.add(candidate("n" + i, 0, 0, speed(1 + i), 0));
    }
    assertThat(routerOf(candidates).choose(ASK, Map.of(), RouterTest::any).toString())
        .startsWith(
            "n99: 0.65 s (wait 0.00, prompt 0.15, answer 0.50 at 100.0/s); n98: 0.66 s (wait")
        .endsWith("; and 97 more");
  }

  @Test
  void ejectedNodesStandBehindFullOnes() {
    Candidate full = candidate("full", 20, 9_000, speed(1), 0);
    Candidate ejected =
        new Candidate(host("ejected", 4, OptionalDouble.empty()), speed(100), 0, 0, 0, 0, 0, 0);
    Decision decision = routerOf(List.of(ejected, full)).choose(ASK, Map.of(), RouterTest::any);
    assertThat(decision.ready()).isEmpty();
    assertThat(decision.isOfEjectedOnly()).isFalse();
    assertThat(decision.predictions())
        .extracting(Prediction::candidate)
        .containsExactly(full, ejected);
    assertThat(decision.toString()).contains(", queue full; ").endsWith(", ejected");
    assertThat(routerOf(List.of(ejected)).choose(ASK, Map.of(), RouterTest::any).isOfEjectedOnly())
        .isTrue();
  }

  private static boolean any(Candidate candidate) {
    return true;
  }

  private static String chosen(List<Candidate> candidates) {
    return chosen(routerOf(candidates), ASK, Map.of());
  }

  private static String chosen(Router router, Ask ask, Map<String, Integer> cached) {
    return router.choose(ask, cached, RouterTest::any).ready().orElseThrow().candidate().nodeName();
  }

  private static Router routerOf(List<Candidate> candidates) {
    Router router = new Router();
    candidates.forEach(router::put);
    return router;
  }

  private static Speed speed(double tokensPerSecond) {
    return new Speed(0.05, 0.001, 1 / tokensPerSecond, 0, true);
  }

  private static Host host(String name, int slots, OptionalDouble loadSeconds) {
    return new Host("id-" + name, name, "desk", slots, true, false, loadSeconds);
  }

  private static Candidate candidate(
      String name, int active, long pending, Speed speed, long served) {
    return new Candidate(
        host(name, 4, OptionalDouble.empty()), speed, 0, active, pending, 0, served, 20);
  }

  private static List<Candidate> randomCandidates(Random random) {
    List<Candidate> candidates = new ArrayList<>();
    int nodes = random.nextInt(60);
    for (int i = 0; i < nodes; i++) {
      int slots = 1 + random.nextInt(4);
      candidates.add(
          new Candidate(
              host(
                  "node" + i,
                  slots,
                  random.nextInt(5) == 0 ? OptionalDouble.of(3) : OptionalDouble.empty()),
              new Speed(
                  random.nextDouble() / 10,
                  0.001 + random.nextDouble() / 100,
                  0.001 + random.nextDouble() / 10,
                  random.nextDouble() / 50,
                  random.nextBoolean()),
              random.nextDouble() / 100,
              random.nextInt(slots * 6),
              random.nextInt(3_000),
              random.nextInt(3_000),
              random.nextInt(100),
              random.nextInt(slots * 5 + 1)));
    }
    return candidates;
  }
}
