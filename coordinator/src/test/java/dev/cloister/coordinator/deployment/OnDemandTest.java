package dev.cloister.coordinator.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.ModelContents;
import dev.cloister.coordinator.catalog.Retention;
import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.fakes.MemoryModelRecords;
import dev.cloister.coordinator.fakes.MemoryNodeRecords;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.fleet.Replica.Ready.Use;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.coordinator.labels.Labels;
import dev.cloister.coordinator.links.Links;
import dev.cloister.coordinator.residence.Why;
import dev.cloister.coordinator.routing.Dispatcher;
import dev.cloister.testkit.SettableClock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Models that come when they are asked for, and go; in a time that tests make pass. */
class OnDemandTest {
  private static final long GIB = 1L << 30;

  /** Room for one model of a gibibyte. */
  private static final long ONE = 2 * GIB;

  private final SettableClock clock = new SettableClock(Instant.parse("2026-01-01T00:00:00Z"));
  private final MemoryModelRecords records = new MemoryModelRecords();
  private final Fleet fleet =
      new Fleet(List.of(), new MemoryNodeRecords(), clock, Duration.ofDays(1));
  private final Map<String, FakeNodeSession> sessions = new HashMap<>();
  private final Catalog catalog;
  private final Deployments deployments;
  private final Dispatcher dispatcher;
  private int requests;

  OnDemandTest() {
    records.put(MemoryModelRecords.model("a", GIB));
    records.put(MemoryModelRecords.model("b", GIB + 1));
    catalog = new Catalog(records, clock);
    deployments =
        new Deployments(
            catalog,
            fleet,
            new Links(),
            new ModelContents(new NoModelFiles()),
            clock,
            () -> "plan");
    dispatcher = new Dispatcher(catalog, fleet, deployments, clock);
    fleet.addListener(deployments);
    catalog.addListener(deployments);
    fleet.addListener(dispatcher);
  }

  private FakeNodeSession join(String name, long memoryBytes, String... models) {
    FakeNodeSession session = new FakeNodeSession();
    Node node = TestFleet.node(name);
    sessions.put(name, session);
    fleet.declare(node);
    fleet.attach(node, session, "0.1.0", TestFleet.machine(memoryBytes), "", Set.of(models));
    return session;
  }

  private FakeNodeSession session(String node) {
    return Objects.requireNonNull(sessions.get(node), node);
  }

  private void tell(String node, Replica replica) {
    fleet.replica(TestFleet.node(node).id(), session(node), replica);
  }

  private void ready(String node, String model) {
    tell(node, new Replica.Loading(model, 0));
    pass(Duration.ofMillis(200));
    tell(node, new Replica.Ready(model, 512, 1, "engine", true, Set.of(Use.GENERATE)));
  }

  /** Has the timers run for so long. */
  private void pass(Duration time) {
    for (long millis = 0; millis < time.toMillis(); millis += 100) {
      clock.advance(Duration.ofMillis(100));
      deployments.tick();
      dispatcher.retry();
    }
  }

  private RecordingSink ask(String model) {
    RecordingSink sink = new RecordingSink();
    dispatcher.submit(TestFleet.request("r" + requests++, model), sink);
    return sink;
  }

  private List<String> served(String node) {
    return session(node).served().stream().map(own -> own.model().name()).toList();
  }

  private static void answer(Start start) {
    start.send(new Started(3, 0, "node"));
    start.send(new TextDelta("x"), 1);
    start.send(new Finished(FinishReason.STOP, new Usage(3, 0, 1)));
  }

  private void answerAll(String node) {
    session(node).starts().stream().filter(start -> !start.isOver()).forEach(OnDemandTest::answer);
  }

  private Residence residence(String node, String model) {
    return deployments.residence(TestFleet.node(node).id(), model).orElseThrow();
  }

  @Test
  void whatWasAskedForAndAnsweredDoesNotComeBackOnceItHadToLeave() {
    catalog.retain("b", Retention.keepAlive(Duration.ofMinutes(5)));
    FakeNodeSession desk = join("desk", ONE);
    ready("desk", "a");
    for (String model : List.of("b", "a")) {
      ask(model);
      pass(Duration.ofMillis(100));
      assertThat(served("desk")).last().isEqualTo(model);
      ready("desk", model);
      answerAll("desk");
    }
    pass(Duration.ofSeconds(5));
    assertThat(desk.dropped()).containsExactly("a", "b");
    assertThat(desk.starts()).hasSize(2).allMatch(Start::isOver);
  }

  @Test
  void aModelThatWaitsToBeAskedForIsLoadedForARequestAndGoesWhenNobodyUsesIt() {
    catalog.retain("b", Retention.keepAlive(Duration.ofMinutes(5)));
    FakeNodeSession desk = join("desk", 2 * ONE);
    assertThat(served("desk")).containsExactly("a");

    RecordingSink sink = ask("b");
    pass(Duration.ofMillis(100));
    assertThat(served("desk")).containsExactly("a", "b");
    assertThat(sink.events()).isEmpty();
    assertThat(sink.awaited()).hasSize(1).first().asString().contains("model b on desk");
    assertThat(residence("desk", "b").why()).isEqualTo(Why.ASKED_FOR);
    ready("desk", "b");
    answerAll("desk");
    assertThat(sink.text()).isEqualTo("x");

    pass(Duration.ofMinutes(5).minusSeconds(1));
    assertThat(desk.dropped()).isEmpty();
    assertThat(residence("desk", "b").until()).isPresent();
    pass(Duration.ofSeconds(2));
    assertThat(desk.dropped()).containsExactly("b");
    pass(Duration.ofMinutes(1));
    assertThat(served("desk")).containsExactly("a", "b");
  }

  @Test
  void whereThereIsNoRoomTheOtherModelLeavesFirst() {
    FakeNodeSession desk = join("desk", ONE);
    ready("desk", "a");
    assertThat(served("desk")).containsExactly("a");

    RecordingSink sink = ask("b");
    pass(Duration.ofMillis(100));

    assertThat(desk.dropped()).containsExactly("a");
    assertThat(served("desk")).containsExactly("a", "b");
    ready("desk", "b");
    answerAll("desk");
    assertThat(sink.text()).isEqualTo("x");

    RecordingSink back = ask("a");
    pass(Duration.ofMillis(200));
    assertThat(desk.dropped()).containsExactly("a", "b");
    ready("desk", "a");
    answerAll("desk");
    assertThat(back.text()).isEqualTo("x");
  }

  @Test
  void aModelThatAnswersIsUnloadedWhenItIsDone() {
    FakeNodeSession desk = join("desk", ONE);
    ready("desk", "a");
    RecordingSink long1 = ask("a");
    pass(Duration.ofSeconds(11));

    RecordingSink other = ask("b");
    pass(Duration.ofSeconds(3));
    assertThat(desk.dropped()).isEmpty();
    assertThat(residence("desk", "a").leaving()).isTrue();
    RecordingSink late = ask("a");
    pass(Duration.ofSeconds(1));
    assertThat(desk.starts()).hasSize(1);

    answerAll("desk");
    assertThat(long1.text()).isEqualTo("x");
    pass(Duration.ofMillis(100));
    assertThat(desk.dropped()).containsExactly("a");
    ready("desk", "b");
    answerAll("desk");
    assertThat(other.text()).isEqualTo("x");
    assertThat(late.events()).isEmpty();
    pass(Duration.ofSeconds(32));
    ready("desk", "a");
    answerAll("desk");
    assertThat(late.text()).isEqualTo("x");
  }

  @Test
  void whatNobodyWaitsForAnyMoreMakesNoRoom() {
    FakeNodeSession desk = join("desk", ONE);
    ready("desk", "a");
    ask("a");
    pass(Duration.ofSeconds(11));
    RecordingSink sink = new RecordingSink();
    var active = dispatcher.submit(TestFleet.request("gone", "b"), sink);
    pass(Duration.ofSeconds(1));
    assertThat(residence("desk", "a").leaving()).isTrue();
    active.cancel();
    pass(Duration.ofSeconds(21));
    assertThat(residence("desk", "a").leaving()).isFalse();
    ask("a");
    assertThat(desk.starts()).hasSize(2);
    assertThat(desk.dropped()).isEmpty();
  }

  @Test
  void aPinnedModelIsNotUnloadedAndCallersAreToldSo() {
    catalog.retain("a", Retention.PINNED);
    FakeNodeSession desk = join("desk", ONE);
    ready("desk", "a");
    RecordingSink sink = ask("b");
    assertThat(sink.failure().orElseThrow().message())
        .isEqualTo(
            "there is no room for 'b': desk keeps 'a', which is pinned; unpin a model with:"
                + " cloister model configure a --no-pin");
    pass(Duration.ofSeconds(5));
    assertThat(desk.dropped()).isEmpty();

    catalog.retain("a", Retention.WHILE_THERE_IS_ROOM);
    ask("b");
    pass(Duration.ofMillis(100));
    assertThat(desk.dropped()).containsExactly("a");
  }

  @Test
  void aPinnedModelThatNoNodeHasIsLoadedWithoutARequest() {
    FakeNodeSession desk = join("desk", ONE);
    ready("desk", "a");
    catalog.retain("b", Retention.PINNED);
    pass(Duration.ofMillis(100));
    assertThat(desk.dropped()).containsExactly("a");
    assertThat(served("desk")).containsExactly("a", "b");
    assertThat(residence("desk", "b").why()).isEqualTo(Why.PINNED);
  }

  @Test
  void whoMayUseNoNodeThatHasItGetsItOnAnotherInPlaceOfWhatWasUsedAMomentAgo() {
    catalog.retain("a", Retention.keepAlive(Duration.ofMinutes(5)));
    catalog.retain("b", Retention.keepAlive(Duration.ofMinutes(5)));
    FakeNodeSession rack = join("rack", ONE);
    fleet.label(TestFleet.node("rack"), Map.of("class", "server"), List.of());
    ask("a");
    pass(Duration.ofMillis(200));
    ready("rack", "a");
    answerAll("rack");
    join("desk", ONE, "b");
    ready("desk", "b");
    pass(Duration.ofSeconds(1));
    assertThat(served("rack")).containsExactly("a");

    RecordingSink sink = new RecordingSink();
    GenerationRequest open = TestFleet.request("r", "b");
    Tenant payroll = Tenant.ofApiKey("payroll", Labels.of(Map.of("class", "server")));
    dispatcher.submit(
        new GenerationRequest(open.id(), open.model(), payroll, open.generation()), sink);
    pass(Duration.ofMillis(300));
    assertThat(sink.events()).isEmpty();
    assertThat(rack.dropped()).containsExactly("a");
    assertThat(served("rack")).containsExactly("a", "b");
    ready("rack", "b");
    answerAll("rack");
    assertThat(sink.text()).isEqualTo("x");
  }

  @Test
  void itComesToTheNodeThatHasItSoonest() {
    catalog.retain("a", Retention.keepAlive(Duration.ofSeconds(1)));
    catalog.retain("b", Retention.keepAlive(Duration.ofSeconds(1)));
    join("desk", ONE);
    join("rack", ONE);
    RecordingSink first = ask("a");
    pass(Duration.ofMillis(100));
    String node = served("desk").isEmpty() ? "rack" : "desk";
    ready(node, "a");
    answerAll(node);
    assertThat(first.text()).isEqualTo("x");
    pass(Duration.ofSeconds(40));
    assertThat(session(node).dropped()).containsExactly("a");

    ask("a");
    pass(Duration.ofMillis(100));
    assertThat(served(node)).containsExactly("a", "a");
  }

  @Test
  void whereItCannotBeLoadedAnotherNodeLoadsIt() {
    catalog.retain("b", Retention.keepAlive(Duration.ofMinutes(5)));
    join("desk", 2 * ONE);
    join("rack", 2 * ONE);
    RecordingSink sink = ask("b");
    pass(Duration.ofMillis(100));
    String first = served("desk").contains("b") ? "desk" : "rack";
    String second = first.equals("desk") ? "rack" : "desk";
    tell(first, new Replica.Failed("b", "no memory"));
    pass(Duration.ofSeconds(1));
    assertThat(session(first).dropped()).containsExactly("b");
    assertThat(served(second)).contains("b");
    ready(second, "b");
    answerAll(second);
    assertThat(sink.text()).isEqualTo("x");
  }

  @Test
  void aSecondCopyComesWhenTheQueueIsWorthItAndOnlyOnce() {
    catalog.retain("a", Retention.keepAlive(Duration.ofMinutes(5)));
    catalog.retain("b", Retention.keepAlive(Duration.ofMinutes(5)));
    for (String node : List.of("desk", "rack", "lap")) {
      join(node, ONE);
    }
    pass(Duration.ofMillis(500));
    RecordingSink first = ask("a");
    pass(Duration.ofMillis(100));
    String node =
        sessions.keySet().stream()
            .filter(name -> served(name).contains("a"))
            .findFirst()
            .orElseThrow();
    ready(node, "a");
    answerAll(node);
    assertThat(first.text()).isEqualTo("x");
    pass(Duration.ofSeconds(31));
    ask("a");
    pass(Duration.ofSeconds(1));
    assertThat(copies()).as("one waits nowhere").isEqualTo(1);

    for (int i = 0; i < 30; i++) {
      ask("a");
    }
    pass(Duration.ofSeconds(5));
    assertThat(copies()).as("thirty wait for less than loading takes").isEqualTo(1);
    pass(Duration.ofSeconds(12));
    assertThat(copies()).as("thirty wait for longer").isEqualTo(2);
    pass(Duration.ofSeconds(10));
    assertThat(copies()).as("and one copy is on its way").isEqualTo(2);
  }

  private long copies() {
    return sessions.keySet().stream().filter(name -> served(name).contains("a")).count();
  }

  @Test
  void whatANodeHasWhenItComesBackStaysThere() {
    FakeNodeSession desk = join("desk", ONE, "b", "unknown");
    assertThat(served("desk")).containsExactly("b");
    ready("desk", "b");
    assertThat(desk.dropped()).isEmpty();
  }
}
