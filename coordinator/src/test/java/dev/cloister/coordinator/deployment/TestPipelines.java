package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelContents;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.fakes.FakeModelFiles;
import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.MemoryModelRecords;
import dev.cloister.coordinator.fakes.MemoryNodeRecords;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.coordinator.fleet.Capability;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.NodeState;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.fleet.Replica.Ready.Use;
import dev.cloister.coordinator.links.Links;
import dev.cloister.coordinator.links.Survey;
import dev.cloister.coordinator.routing.Dispatcher;
import dev.cloister.identity.ticket.KeyHash;
import dev.cloister.identity.ticket.PlanTicket;
import dev.cloister.testkit.SettableClock;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** A coordinator's deployments of a model of four equal layers, and nodes that tests speak for. */
final class TestPipelines {
  static final String MODEL = "big";
  static final long GIB = 1L << 30;

  /** A node that holds two of the model's four layers, and not three. */
  static final long TWO_LAYERS = 5 * GIB;

  final SettableClock clock = new SettableClock(Instant.parse("2026-01-01T00:00:00Z"));
  final Catalog catalog;
  final Fleet fleet =
      new Fleet(List.of(), new MemoryNodeRecords(), clock, Duration.ofMillis(2_500));
  final Links links = new Links();
  final Survey survey = new Survey(fleet, links, clock);
  final Deployments deployments;
  final Dispatcher dispatcher;
  private final Map<String, FakeNodeSession> sessions = new LinkedHashMap<>();

  TestPipelines(Path directory, long bytes) throws IOException {
    Path file = directory.resolve("big.gguf");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(bytes);
    }
    MemoryModelRecords records = new MemoryModelRecords();
    records.put(
        new Model(
            MODEL,
            "ab".repeat(32),
            bytes,
            file,
            Files.getLastModifiedTime(file).toInstant().truncatedTo(ChronoUnit.MILLIS),
            Instant.EPOCH,
            ModelOptions.NONE));
    catalog = new Catalog(records, clock);
    AtomicInteger plans = new AtomicInteger();
    deployments =
        new Deployments(
            catalog,
            fleet,
            links,
            new ModelContents(new FakeModelFiles()),
            clock,
            () -> "plan-" + plans.incrementAndGet());
    dispatcher = new Dispatcher(catalog, fleet, deployments, clock);
    fleet.addListener(deployments);
    catalog.addListener(deployments);
    fleet.addListener(dispatcher);
  }

  void split(int stages) {
    catalog.configure(MODEL, ModelOptions.NONE.withSplit(OptionalInt.of(stages)));
  }

  FakeNodeSession online(String name, long memoryBytes) {
    return online(name, memoryBytes, new FakeNodeSession());
  }

  FakeNodeSession online(String name, long memoryBytes, FakeNodeSession session) {
    return online(name, TestFleet.machine(memoryBytes), session);
  }

  FakeNodeSession online(String name, Capability machine, FakeNodeSession session) {
    Node node = TestFleet.node(name);
    fleet.declare(node);
    fleet.noteKey(node.id(), key(name));
    sessions.put(name, session);
    fleet.attach(node, session, "0.1.0", machine, name + ":7444", Set.of());
    return session;
  }

  static KeyHash key(String name) {
    return new KeyHash("%064x".formatted(name.hashCode() & 0xffffffffL));
  }

  FakeNodeSession session(String name) {
    return Objects.requireNonNull(sessions.get(name), name);
  }

  void lose(String name) {
    FakeNodeSession session = session(name);
    fleet.detach(TestFleet.node(name).id(), session, NodeState.LOST);
    session.close("the session broke");
  }

  /** What the node is to have of the model now. */
  Optional<Assignment.Stage> stage(String name) {
    return deployments.stages(TestFleet.node(name).id()).stream()
        .flatMap(assignment -> assignment.stage().stream())
        .findFirst();
  }

  void tell(String name, Replica replica) {
    fleet.replica(TestFleet.node(name).id(), session(name), replica);
  }

  /** Two nodes, of which each holds a half, with a closed ring. */
  List<String> running() {
    online("desk", TWO_LAYERS);
    online("rack", TWO_LAYERS);
    List<String> ring = ring();
    staged("desk", "rack");
    ready(ring.getFirst());
    return ring;
  }

  void loading(String... names) {
    for (String name : names) {
      tell(name, new Replica.Loading(MODEL, plan(name), 0.5));
    }
  }

  void staged(String... names) {
    for (String name : names) {
      tell(name, new Replica.Staged(MODEL, plan(name), layers(name), GIB));
    }
  }

  void ready(String name) {
    tell(
        name,
        new Replica.Ready(
            MODEL, plan(name), layers(name), 512, 4, "engine", true, Set.of(Use.GENERATE), GIB));
  }

  void failed(String name) {
    tell(name, new Replica.Failed(MODEL, plan(name), "no memory"));
  }

  private Optional<Replica.Layers> layers(String name) {
    return stage(name).map(stage -> new Replica.Layers(stage.firstLayer(), stage.endLayer()));
  }

  String plan(String name) {
    return stage(name).orElseThrow().plan();
  }

  /** The nodes of the pipeline, the first stage first. */
  List<String> ring() {
    return sessions.keySet().stream()
        .filter(name -> stage(name).isPresent())
        .sorted((a, b) -> Integer.compare(index(a), index(b)))
        .toList();
  }

  private int index(String name) {
    return stage(name).orElseThrow().index();
  }

  PlanTicket lastTicket(String name) {
    return session(name).tickets().getLast();
  }
}
