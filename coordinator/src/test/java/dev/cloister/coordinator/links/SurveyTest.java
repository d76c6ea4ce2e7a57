package dev.cloister.coordinator.links;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.links.Finding.Reached;
import dev.cloister.coordinator.links.Finding.Unreachable;
import dev.cloister.coordinator.placement.Network.Way;
import dev.cloister.identity.ticket.KeyHash;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SurveyTest {
  private static final Reached FAR = new Reached(0.002, 1e8);
  private final TestFleet cluster = new TestFleet();
  private final Links links = new Links();
  private final Survey survey = new Survey(cluster.fleet, links, cluster.clock);
  private final Map<String, FakeNodeSession> sessions = new LinkedHashMap<>();
  private final Map<String, Integer> answered = new LinkedHashMap<>();

  @BeforeEach
  void listen() {
    cluster.fleet.addListener(survey);
  }

  private void online(String... names) {
    for (String name : names) {
      FakeNodeSession session = new FakeNodeSession();
      Node node = cluster.online(name, session);
      cluster.fleet.noteKey(node.id(), new KeyHash("ab".repeat(32)));
      sessions.put(node.id(), session);
    }
    cluster.clock.advance(Survey.SETTLING);
  }

  private static Wish wish(String... names) {
    return new Wish(
        List.of(names).stream().map(name -> "id-" + name).toList(), List.of(), Set.of(), Set.of());
  }

  /** What is asked for by a tick. */
  private List<Way> asked(Wish wish) {
    survey.tick(wish);
    List<Way> ways = new ArrayList<>();
    sessions.forEach(
        (id, session) -> {
          int seen = answered.getOrDefault(id, 0);
          session.measurements().stream()
              .skip(seen)
              .forEach(
                  measurement ->
                      ways.add(
                          measurement
                              .node()
                              .map(node -> new Way(id, node.nodeId()))
                              .orElse(Way.toCoordinator(id))));
          answered.put(id, session.measurements().size());
        });
    assertThat(
            ways.stream()
                .flatMap(way -> Stream.of(way.from(), way.to()))
                .filter(node -> !node.isEmpty()))
        .as("each node takes part in one")
        .doesNotHaveDuplicates();
    return ways;
  }

  /** Answers all that is asked for until nothing more is. */
  private Set<Way> measureAll(Wish wish) {
    Set<Way> all = new HashSet<>();
    for (List<Way> ways = asked(wish); !ways.isEmpty(); ways = asked(wish)) {
      ways.forEach(way -> survey.found(way.from(), way.to(), FAR));
      assertThat(all).as("none twice").doesNotContainAnyElementsOf(ways);
      all.addAll(ways);
    }
    return all;
  }

  private int lastPayload(String name) {
    return Objects.requireNonNull(sessions.get("id-" + name))
        .measurements()
        .getLast()
        .payloadBytes();
  }

  @Test
  void everyWayIsMeasuredOnceAndAgainWhenThatIsLongAgo() {
    online("a", "b", "c");
    assertThat(asked(Wish.NONE)).isEmpty();
    assertThat(measureAll(wish("a", "b", "c"))).hasSize(3 * 2 + 3);
    assertThat(links.measured()).hasSize(9);
    cluster.clock.advance(Survey.FRESH.minusSeconds(1));
    assertThat(asked(wish("a", "b", "c"))).isEmpty();
    cluster.clock.advance(Duration.ofSeconds(1));
    assertThat(measureAll(wish("a", "b", "c"))).hasSize(9);
  }

  @Test
  void aNodeTakesPartInOneMeasurementAtATimeAndTheClusterInFew() {
    String[] names = IntStream.range(0, 40).mapToObj(i -> "n" + i).toArray(String[]::new);
    online(names);
    List<Way> ways = asked(wish(names));
    assertThat(ways).hasSize(Survey.MOST_AT_ONCE);
    assertThat(asked(wish(names))).isEmpty();
    ways.forEach(way -> survey.found(way.from(), way.to(), FAR));
    assertThat(measureAll(wish(names)).size() + ways.size())
        .isEqualTo(Survey.MOST_NODES * Survey.MOST_NODES);
  }

  @Test
  void whoSaysNothingIsAskedAgainLater() {
    online("a", "b");
    assertThat(asked(wish("a", "b"))).hasSize(2);
    cluster.clock.advance(Survey.PATIENCE.plusSeconds(1));
    assertThat(asked(wish("a", "b"))).hasSize(2);
  }

  @Test
  void nodesThatAnswerAreAskedForTheRoundTripAloneUntilTheyAreIdle() {
    online("a", "b");
    FakeNodeSession busy = Objects.requireNonNull(sessions.get("id-a"));
    busy.start(TestFleet.request("r"), (event, tokens) -> {});
    Wish ring =
        new Wish(List.of("id-a", "id-b"), List.of(List.of("id-a", "id-b")), Set.of(), Set.of());
    for (Way way : asked(ring)) {
      survey.found(way.from(), way.to(), new Reached(0.002, 0));
    }
    assertThat(lastPayload("a")).isZero();
    assertThat(asked(ring)).containsExactly(new Way("id-b", "id-a"));
    assertThat(lastPayload("b")).as("it is in the same ring").isZero();
    survey.found("id-b", "id-a", new Reached(0.002, 0));
    busy.cancel("r");
    assertThat(measureAll(ring)).contains(new Way("id-a", "id-b"), new Way("id-b", "id-a"));
    assertThat(busy.measurements())
        .anyMatch(each -> each.node().isPresent() && each.payloadBytes() == Survey.PAYLOAD_BYTES);
  }

  @Test
  void ofNodesThatBringAModelUpOnlyTheWaysOfRingsAreTriedWithoutPayload() {
    online("a", "b", "c");
    List<String> nodes = List.of("id-a", "id-b", "id-c");
    List<List<String>> rings = List.of(List.of("id-a", "id-b"));
    Wish rising = new Wish(nodes, rings, Set.of("id-a", "id-b"), Set.of());
    assertThat(asked(rising)).contains(new Way("id-a", "id-b"), Way.toCoordinator("id-c"));
    assertThat(lastPayload("a")).isZero();
    assertThat(lastPayload("c")).isEqualTo(Survey.PAYLOAD_BYTES);
    survey.found("id-a", "id-b", new Reached(0.002, 0));
    survey.found("id-c", "", FAR);
    assertThat(measureAll(rising)).containsExactly(new Way("id-b", "id-a"));
    Wish risen = new Wish(nodes, rings, Set.of(), Set.of());
    assertThat(measureAll(risen))
        .as("with payload too")
        .contains(new Way("id-a", "id-b"))
        .hasSize(7);
  }

  @Test
  void aNodeThatCameJustNowIsLeftToItsStart() {
    online("a");
    measureAll(wish("a"));
    FakeNodeSession session = new FakeNodeSession();
    sessions.put("id-b", session);
    cluster.online("b", session);
    assertThat(asked(wish("a", "b"))).isEmpty();
    cluster.clock.advance(Survey.SETTLING);
    assertThat(asked(wish("a", "b"))).containsExactly(Way.toCoordinator("id-b"));
  }

  @Test
  void waysThatAreCutOrInDoubtAreTriedSooner() {
    online("a", "b");
    Way way = new Way("id-a", "id-b");
    measureAll(wish("a", "b"));
    cluster.clock.advance(Survey.FRESH);
    for (List<Way> due = asked(wish("a", "b")); !due.isEmpty(); due = asked(wish("a", "b"))) {
      due.forEach(
          next ->
              survey.found(
                  next.from(), next.to(), next.equals(way) ? new Unreachable("refused") : FAR));
    }
    assertThat(links.isCut(way)).isTrue();
    cluster.clock.advance(Survey.FRESH_IF_CUT);
    assertThat(asked(wish("a", "b"))).containsExactly(way);
    survey.found("id-a", "id-b", FAR);
    cluster.clock.advance(Survey.FRESH_IF_DOUBTFUL);
    assertThat(asked(wish("a", "b"))).isEmpty();
    assertThat(asked(new Wish(List.of("id-a", "id-b"), List.of(), Set.of(), Set.of(way))))
        .containsExactly(way);
  }

  @Test
  void whatNobodyAskedForIsNotBelieved() {
    online("a", "b");
    assertThat(survey.found("id-a", "id-b", new Unreachable("lie"))).isFalse();
    assertThat(links.cut()).isEmpty();
  }

  @Test
  void aNodeThatComesAnewIsMeasuredAnew() {
    online("a", "b");
    measureAll(wish("a", "b"));
    online("b");
    assertThat(links.measured().keySet()).containsExactly(Way.toCoordinator("id-a"));
  }

  @Test
  void nobodyIsAskedToDialANodeThatDoesNotListen() {
    online("a");
    cluster.fleet.declare(TestFleet.node("deaf"));
    FakeNodeSession session = new FakeNodeSession();
    sessions.put("id-deaf", session);
    cluster.fleet.attach(
        TestFleet.node("deaf"), session, "0.1.0", TestFleet.machine(1), "", Set.of());
    cluster.clock.advance(Survey.SETTLING);
    cluster.fleet.noteKey("id-deaf", new KeyHash("ab".repeat(32)));
    assertThat(measureAll(wish("a", "deaf")))
        .containsExactlyInAnyOrder(
            new Way("id-deaf", "id-a"), Way.toCoordinator("id-a"), Way.toCoordinator("id-deaf"));
  }
}
