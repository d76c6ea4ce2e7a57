package dev.cloister.coordinator.fakes;

import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.fleet.Capability;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.fleet.NodeState;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.fleet.Replica.Ready.Use;
import dev.cloister.coordinator.inference.Generation;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.inference.Sampling;
import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.coordinator.inference.prompt.Prompt;
import dev.cloister.coordinator.labels.Labels;
import dev.cloister.coordinator.routing.Dispatcher;
import dev.cloister.testkit.SettableClock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A fleet with a dispatcher and a model named {@value #MODEL}, at a time that stands still. */
public final class TestFleet {
  public static final String MODEL = "tiny";
  public static final Duration SILENCE_LIMIT = Duration.ofMillis(2_500);

  public final SettableClock clock = new SettableClock(Instant.parse("2026-01-01T00:00:00Z"));
  public final Catalog catalog = new Catalog(new MemoryModelRecords(MODEL, "org/big:v1"), clock);
  public final Fleet fleet = new Fleet(List.of(), new MemoryNodeRecords(), clock, SILENCE_LIMIT);
  public final FakeOutlook outlook = new FakeOutlook();
  public final Dispatcher dispatcher = new Dispatcher(catalog, fleet, outlook, clock);

  public TestFleet() {
    fleet.addListener(dispatcher);
  }

  public static Node node(String name) {
    return new Node("id-" + name, name);
  }

  public static Capability machine(long memoryBytes) {
    return machine(memoryBytes, Capability.Engines.UNKNOWN);
  }

  public static Capability machine(long memoryBytes, Capability.Engines engines) {
    return new Capability(
        "host",
        "Linux",
        "amd64",
        new Capability.Cpu("cpu", 4, 8, List.of("avx2")),
        memoryBytes,
        memoryBytes,
        1L << 40,
        1L << 39,
        Optional.empty(),
        List.of(),
        List.of(),
        engines);
  }

  /** One whose engines compute on a GPU with memory of its own. */
  public static Capability machineWithGpu(long memoryBytes, long gpuBytes) {
    Capability plain = machine(memoryBytes, new Capability.Engines("llama.cpp v0.5.0", true, true));
    return new Capability(
        plain.hostName(),
        plain.operatingSystem(),
        plain.architecture(),
        plain.cpu(),
        plain.memoryTotalBytes(),
        plain.memoryAvailableBytes(),
        plain.diskTotalBytes(),
        plain.diskFreeBytes(),
        plain.battery(),
        plain.links(),
        List.of(
            new Capability.Gpu(
                Capability.Gpu.Vendor.NVIDIA, "gpu", gpuBytes, gpuBytes, false, "1")),
        plain.engines());
  }

  /** A short generation. */
  public static GenerationRequest request(String id) {
    return request(id, MODEL);
  }

  public static GenerationRequest request(String id, String model) {
    return new GenerationRequest(
        id,
        model,
        Tenant.ofApiKey("k", Labels.NONE),
        new Generation(new Prompt.Text("Say something"), Sampling.DEFAULT, 16, List.of()));
  }

  /** Has a node join and open a session. */
  public Node online(String name, NodeSession session) {
    Node node = node(name);
    fleet.declare(node);
    fleet.attach(node, session, "0.1.0", machine(8L << 30), name + ":7444", Set.of());
    return node;
  }

  /** As {@link #online}, with the model ready. */
  public Node ready(String name, NodeSession session, int slots) {
    Node node = online(name, session);
    report(node, session, slots);
    return node;
  }

  public void report(Node node, NodeSession session, int slots) {
    report(node, session, MODEL, slots);
  }

  public void report(Node node, NodeSession session, String model, int slots) {
    fleet.replica(
        node.id(),
        session,
        new Replica.Ready(model, 4096, slots, "engine", true, Set.of(Use.GENERATE)));
  }

  /** As a broken connection does it. */
  public void lose(Node node, NodeSession session) {
    fleet.detach(node.id(), session, NodeState.LOST);
    session.close("the session broke");
  }
}
