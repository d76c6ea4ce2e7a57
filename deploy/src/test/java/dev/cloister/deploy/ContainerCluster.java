package dev.cloister.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.ContainerNetwork;
import com.github.dockerjava.api.model.ExposedPort;
import com.github.dockerjava.api.model.Ports;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.awaitility.Awaitility;
import org.testcontainers.containers.Container.ExecResult;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.Wait;

/**
 * A coordinator and agents named {@code agent-1} and so on, each a container, on networks of their
 * own. Closing it removes all of it. Thread-safe once started.
 */
final class ContainerCluster implements AutoCloseable {
  static final String MODEL = "cloister-tiny";
  private static final String QUESTION =
      """
      {"model": "cloister-tiny", "temperature": 0,
       "messages": [{"role": "user", "content": "What is the capital of France?"}]}\
      """;
  private static final int API_PORT = 8080;
  private static final String COORDINATOR = "coordinator";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Network network = Network.newNetwork();
  private final GenericContainer<?> coordinator = container(network);
  private final Map<String, GenericContainer<?>> agents = new LinkedHashMap<>();
  private final List<AutoCloseable> parts = new ArrayList<>(List.of(network));

  /**
   * What the cluster said to a question.
   *
   * @param node the machine that answered, if one did
   * @param text the answer, or the message of the error
   */
  record Answer(int status, Optional<String> node, String text) {}

  /** Asks over HTTPS, trusting the cluster's authority alone. */
  record Client(HttpClient http, URI api, String key) {
    Answer ask() throws IOException, InterruptedException {
      HttpResponse<byte[]> response =
          http.send(
              HttpRequest.newBuilder(api.resolve("/v1/chat/completions"))
                  .header("content-type", "application/json")
                  .header("authorization", "Bearer " + key)
                  .timeout(Duration.ofMinutes(1))
                  .POST(HttpRequest.BodyPublishers.ofString(QUESTION))
                  .build(),
              HttpResponse.BodyHandlers.ofByteArray());
      JsonNode body = JSON.readTree(response.body());
      String text =
          response.statusCode() == 200
              ? body.at("/choices/0/message/content").asText()
              : body.at("/error/message").asText();
      return new Answer(
          response.statusCode(), response.headers().firstValue("x-cloister-node"), text);
    }
  }

  private ContainerCluster() {}

  /** Starts a cluster and waits until every agent has the demo model loaded. */
  static ContainerCluster start(int agentCount) {
    ContainerCluster cluster = new ContainerCluster();
    try {
      cluster.startCoordinator();
      for (int i = 1; i <= agentCount; i++) {
        cluster.startAgent("agent-" + i, cluster.network);
      }
      cluster.awaitModel();
      return cluster;
    } catch (RuntimeException | Error e) {
      cluster.close();
      throw e;
    }
  }

  /**
   * Starts a cluster of three agents on two networks that are apart: agent-1 is on one, agent-2 on
   * the other; agent-3, as the coordinator, on both, and others know its address on agent-1's. So
   * agent-2 reaches none of them, agent-1 reaches agent-3, and agent-3 reaches both.
   */
  static ContainerCluster startApart() {
    ContainerCluster cluster = new ContainerCluster();
    try {
      Network other = Network.newNetwork();
      cluster.parts.add(other);
      cluster.startCoordinator();
      cluster.connect(cluster.coordinator.getContainerId(), other, COORDINATOR);
      cluster.startAgent("agent-1", cluster.network);
      cluster.startAgent("agent-2", other);
      cluster.startAgent("agent-3", cluster.network);
      cluster.awaitModel();
      cluster.connect(cluster.idOf("agent-3"), other);
      return cluster;
    } catch (RuntimeException | Error e) {
      cluster.close();
      throw e;
    }
  }

  private void awaitModel() {
    Awaitility.await("the model on every agent")
        .atMost(Duration.ofMinutes(1))
        .until(() -> nodesWithModel() == agents.size());
  }

  private static GenericContainer<?> container(Network network) {
    return new GenericContainer<>(CloisterImage.NAME).withNetwork(network);
  }

  private void startCoordinator() {
    parts.add(coordinator);
    coordinator
        .withNetworkAliases(COORDINATOR)
        .withCommand(
            "coordinator",
            "start",
            "--host",
            "0.0.0.0",
            "--advertise",
            COORDINATOR,
            "--api-host",
            "0.0.0.0")
        .withExposedPorts(API_PORT)
        .waitingFor(Wait.forLogMessage(".*The coordinator is up.*\\s", 1))
        .start();
  }

  private void startAgent(String name, Network network) {
    GenericContainer<?> agent =
        container(network)
            .withEnv("CLOISTER_JOIN_TOKEN", command("token", "create"))
            .withCommand("agent", "start", "--name", name);
    parts.add(agent);
    agents.put(name, agent);
    agent.start();
  }

  /** Runs {@code cloister} beside the coordinator, as its administrator. */
  private String command(String... arguments) {
    List<String> command = new ArrayList<>(List.of("/opt/cloister/bin/cloister"));
    command.addAll(Arrays.asList(arguments));
    return execute(command.toArray(String[]::new)).strip();
  }

  private String execute(String... command) {
    try {
      ExecResult result = coordinator.execInContainer(command);
      if (result.getExitCode() != 0) {
        throw new AssertionError(List.of(command) + " failed: " + result.getStderr());
      }
      return result.getStdout();
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  private JsonNode nodes() {
    return json("node", "list");
  }

  private JsonNode json(String... arguments) {
    List<String> line = new ArrayList<>(Arrays.asList(arguments));
    line.add("--json");
    try {
      return JSON.readTree(command(line.toArray(String[]::new)));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private long nodesWithModel() {
    return nodes()
        .valueStream()
        .filter(
            node ->
                node.path("ready_models")
                    .valueStream()
                    .anyMatch(model -> model.asText().equals(MODEL)))
        .count();
  }

  /** What the node list says of an agent: {@code online}, {@code offline} or {@code lost}. */
  String state(String agent) {
    return nodes()
        .valueStream()
        .filter(node -> node.path("name").asText().equals(agent))
        .map(node -> node.path("state").asText())
        .findFirst()
        .orElse("unknown");
  }

  /** Says how the demo model is to be run. */
  void configure(String... flags) {
    List<String> line = new ArrayList<>(List.of("model", "configure", MODEL));
    line.addAll(Arrays.asList(flags));
    command(line.toArray(String[]::new));
  }

  /** The agents that are to hold a stage of the model, the first stage first. */
  List<String> ring() {
    Map<Integer, String> stages = new TreeMap<>();
    for (JsonNode node : nodes()) {
      for (JsonNode stage : node.path("stages")) {
        stages.put(stage.path("index").asInt(), node.path("name").asText());
      }
    }
    return List.copyOf(stages.values());
  }

  /**
   * A stage's stream to the next stage.
   *
   * @param relayed whether it goes through the coordinator
   */
  record Hop(String from, String to, boolean relayed) {}

  /** How the stages of the model would be connected, if it were planned now. */
  List<Hop> plannedHops() {
    List<JsonNode> stages = json("model", "plan", MODEL).at("/plan/stages").valueStream().toList();
    return hops(
        stages.stream().map(stage -> stage.path("node").asText()).toList(),
        stages.stream().map(stage -> stage.path("relayed").asBoolean()).toList());
  }

  /** How they are, by the streams and bytes that the coordinator counted. */
  List<Hop> hops() {
    Map<Integer, JsonNode> replicas = new TreeMap<>();
    for (JsonNode replica : json("model", "show", MODEL).path("replicas")) {
      replicas.put(replica.at("/stage/index").asInt(), replica);
    }
    return hops(
        replicas.values().stream().map(replica -> replica.path("node").asText()).toList(),
        replicas.values().stream()
            .map(replica -> replica.path("stage"))
            .map(
                stage ->
                    stage.path("relayed_streams").asLong() > 0
                        && stage.path("relayed_bytes").asLong() > 0)
            .toList());
  }

  private static List<Hop> hops(List<String> ring, List<Boolean> relayed) {
    return IntStream.range(0, ring.size())
        .mapToObj(i -> new Hop(ring.get(i), ring.get((i + 1) % ring.size()), relayed.get(i)))
        .toList();
  }

  /** As it is now: on a second network, a container's port may be published anew, as another. */
  private int apiPort() {
    Ports.Binding[] bindings =
        coordinator
            .getCurrentContainerInfo()
            .getNetworkSettings()
            .getPorts()
            .getBindings()
            .get(ExposedPort.tcp(API_PORT));
    return Integer.parseInt(Objects.requireNonNull(bindings, "no API port")[0].getHostPortSpec());
  }

  /** A client with a new API key. */
  Client client() throws GeneralSecurityException, IOException {
    String root = execute("cat", "/var/lib/cloister/coordinator/ca/root.crt");
    KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
    trusted.load(null, null);
    trusted.setCertificateEntry(
        "cluster",
        CertificateFactory.getInstance("X.509")
            .generateCertificate(
                new ByteArrayInputStream(root.getBytes(StandardCharsets.US_ASCII))));
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(null, trust.getTrustManagers(), null);
    return new Client(
        HttpClient.newBuilder().sslContext(tls).build(),
        URI.create("https://127.0.0.1:" + apiPort()),
        command("key", "create", "test"));
  }

  /** Ends an agent and its engines as a power failure does. */
  void kill(String agent) {
    docker().killContainerCmd(idOf(agent)).exec();
  }

  /** Pulls the cable. */
  void disconnect(String agent) {
    docker()
        .disconnectFromNetworkCmd()
        .withNetworkId(network.getId())
        .withContainerId(idOf(agent))
        .exec();
  }

  /** Puts the cable back in. */
  void reconnect(String agent) {
    connect(idOf(agent), network);
  }

  private void connect(String containerId, Network to, String... aliases) {
    docker()
        .connectToNetworkCmd()
        .withNetworkId(to.getId())
        .withContainerId(containerId)
        .withContainerNetwork(new ContainerNetwork().withAliases(aliases))
        .exec();
  }

  private DockerClient docker() {
    return coordinator.getDockerClient();
  }

  private String idOf(String agent) {
    GenericContainer<?> container = agents.get(agent);
    if (container == null) {
      throw new IllegalArgumentException("there is no " + agent);
    }
    return container.getContainerId();
  }

  /** The last started first: the network cannot go before what hangs on it. */
  @Override
  public void close() {
    for (AutoCloseable part : parts.reversed()) {
      try {
        part.close();
      } catch (Exception e) {
        System.err.println("a container or network was not removed: " + e.getMessage());
      }
    }
  }
}
