package dev.cloister.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.ContainerNetwork;
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
import java.util.Optional;
import java.util.TreeMap;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.awaitility.Awaitility;
import org.testcontainers.containers.Container.ExecResult;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.Wait;

/**
 * A coordinator and agents named {@code agent-1} and so on, each a container, on a network of their
 * own. Closing it removes all of it. Thread-safe once started.
 */
final class ContainerCluster implements AutoCloseable {
  static final String MODEL = "cloister-tiny";
  private static final String QUESTION =
      """
      {"model": "cloister-tiny", "temperature": 0,
       "messages": [{"role": "user", "content": "What is the capital of France?"}]}\
      """;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Network network = Network.newNetwork();
  private final GenericContainer<?> coordinator = container();
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
        cluster.startAgent("agent-" + i);
      }
      Awaitility.await("the model on every agent")
          .atMost(Duration.ofMinutes(1))
          .until(() -> cluster.nodesWithModel() == agentCount);
      return cluster;
    } catch (RuntimeException | Error e) {
      cluster.close();
      throw e;
    }
  }

  private GenericContainer<?> container() {
    return new GenericContainer<>(CloisterImage.NAME).withNetwork(network);
  }

  private void startCoordinator() {
    parts.add(coordinator);
    coordinator
        .withNetworkAliases("coordinator")
        .withCommand(
            "coordinator",
            "start",
            "--host",
            "0.0.0.0",
            "--advertise",
            "coordinator",
            "--api-host",
            "0.0.0.0")
        .withExposedPorts(8080)
        .waitingFor(Wait.forLogMessage(".*The coordinator is up.*\\s", 1))
        .start();
  }

  private void startAgent(String name) {
    GenericContainer<?> agent =
        container()
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
    try {
      return JSON.readTree(command("node", "list", "--json"));
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
        URI.create("https://127.0.0.1:" + coordinator.getMappedPort(8080)),
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
    docker()
        .connectToNetworkCmd()
        .withNetworkId(network.getId())
        .withContainerId(idOf(agent))
        .withContainerNetwork(new ContainerNetwork())
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
