package dev.cloister.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.coordinator.courtesy.CourtesyPolicy;
import dev.cloister.coordinator.fakes.FakeModelFiles;
import dev.cloister.identity.PrivateFileException;
import dev.cloister.identity.Role;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.tls.ClusterTls;
import dev.cloister.identity.token.JoinToken;
import dev.cloister.proto.access.v1.AccessServiceGrpc;
import dev.cloister.proto.access.v1.CreateApiKeyRequest;
import dev.cloister.proto.access.v1.CreateJoinTokenRequest;
import dev.cloister.proto.access.v1.ListJoinTokensRequest;
import dev.cloister.proto.fleet.v1.FleetServiceGrpc;
import dev.cloister.proto.fleet.v1.ListNodesRequest;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class CoordinatorTest {
  @TempDir private Path directory;
  private Path data;
  private Path model;

  @BeforeEach
  void prepare() throws IOException {
    data = directory.resolve("data");
    model = Files.writeString(directory.resolve("tiny.gguf"), "weights");
  }

  @Test
  void aRestartKeepsNodesTokensKeysAndModels() throws Exception {
    String key;
    try (Coordinator coordinator = start(0, 0, Map.of("tiny", model))) {
      JoinToken token = token(coordinator);
      Membership.join(token, directory.resolve("desk"), "desk");
      key =
          administer(
              channel ->
                  AccessServiceGrpc.newBlockingStub(channel)
                      .createApiKey(CreateApiKeyRequest.newBuilder().setName("web").build())
                      .getKey());
      assertThat(coordinator.apiUrl()).startsWith("http://127.0.0.1:");
    }
    try (Coordinator coordinator = start(0, 0, Map.of())) {
      assertThat(models(coordinator, key)).contains("\"id\":\"tiny\"");
      String node =
          administer(
              channel ->
                  FleetServiceGrpc.newBlockingStub(channel)
                      .listNodes(ListNodesRequest.getDefaultInstance())
                      .getNodes(0)
                      .getName());
      assertThat(node).isEqualTo("desk");
      int usesLeft =
          administer(
              channel ->
                  AccessServiceGrpc.newBlockingStub(channel)
                      .listJoinTokens(ListJoinTokensRequest.getDefaultInstance())
                      .getTokens(0)
                      .getUsesLeft());
      assertThat(usesLeft).isEqualTo(1);
    }
  }

  @Test
  void aBusyClusterPortIsSaidWithItsOption() throws Exception {
    try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertStartFails(
          busy.getLocalPort(),
          0,
          "127.0.0.1:"
              + busy.getLocalPort()
              + " cannot be listened on (it may be in use); choose another port with --port");
    }
    start(0, 0, Map.of()).close();
  }

  @Test
  void aBusyApiPortIsSaidWithItsOptionAndNothingIsLeftListening() throws Exception {
    int clusterPort;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      clusterPort = free.getLocalPort();
    }
    try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertStartFails(
          clusterPort,
          busy.getLocalPort(),
          "127.0.0.1:"
              + busy.getLocalPort()
              + " cannot be listened on (it may be in use); choose another port with --api-port");
    }
    start(clusterPort, 0, Map.of()).close();
  }

  @Test
  void aSecondCoordinatorStaysOutOfTheDataDirectory() {
    Coordinator first = start(0, 0, Map.of());
    assertStartFails(
        0,
        0,
        "the data directory "
            + data
            + " is used by another coordinator; stop it, or choose another with --data");
    first.close();
    start(0, 0, Map.of()).close();
  }

  @Test
  void aDirectoryOpenToOthersStopsTheStart() throws Exception {
    start(0, 0, Map.of()).close();
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
    assertThatThrownBy(() -> start(0, 0, Map.of()))
        .isInstanceOf(PrivateFileException.class)
        .hasMessageContaining("chmod 700 " + data);
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwx------"));
    Path rootKey = data.resolve("ca").resolve("root.key");
    Files.setPosixFilePermissions(rootKey, PosixFilePermissions.fromString("rw-r-----"));
    assertThatThrownBy(() -> start(0, 0, Map.of()))
        .isInstanceOf(PrivateFileException.class)
        .hasMessageContaining("chmod 600 " + rootKey);
  }

  @Test
  void aModelThatCannotBeServedStopsTheStartInOneSentence() {
    Path missing = directory.resolve("missing.gguf");
    assertThatThrownBy(() -> start(0, 0, Map.of("tiny", missing)))
        .isInstanceOf(CoordinatorStartException.class)
        .hasMessage("the model file " + missing + " does not exist");
    assertThatThrownBy(() -> start(0, 0, Map.of("tiny", directory)))
        .isInstanceOf(CoordinatorStartException.class)
        .hasMessageEndingWith("is not a file");
    assertThatThrownBy(() -> start(0, 0, Map.of("../tiny", model)))
        .isInstanceOf(CoordinatorStartException.class)
        .hasMessageStartingWith("model name: ../tiny");
    start(0, 0, Map.of()).close();
  }

  private Coordinator start(int clusterPort, int apiPort, Map<String, Path> models) {
    return Coordinator.start(
        new CoordinatorConfig(
            data,
            new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), clusterPort),
            Optional.empty(),
            new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), apiPort),
            models,
            OptionalInt.empty(),
            new FakeModelFiles(),
            CourtesyPolicy.DEFAULT,
            null,
            null),
        InstantSource.system());
  }

  private void assertStartFails(int clusterPort, int apiPort, String message) {
    assertThatThrownBy(() -> start(clusterPort, apiPort, Map.of()))
        .isInstanceOf(CoordinatorStartException.class)
        .hasMessage(message);
  }

  private JoinToken token(Coordinator coordinator) {
    JoinToken token =
        JoinToken.parse(
            administer(
                channel ->
                    AccessServiceGrpc.newBlockingStub(channel)
                        .createJoinToken(
                            CreateJoinTokenRequest.newBuilder()
                                .setRole("agent")
                                .setLifetimeMillis(60_000)
                                .setUses(2)
                                .build())
                        .getToken()));
    assertThat(token.address()).endsWith(":" + coordinator.clusterPort());
    return token;
  }

  /** With the profile that the coordinator keeps for the administrator of its machine. */
  private <T> T administer(Function<ManagedChannel, T> call) {
    Membership admin = Membership.load(data.resolve("admin")).orElseThrow();
    ManagedChannel channel =
        NettyChannelBuilder.forTarget(admin.coordinator())
            .sslContext(ClusterTls.client(admin.identity(), Role.COORDINATOR))
            .build();
    try {
      return call.apply(channel);
    } finally {
      channel.shutdownNow();
    }
  }

  private static String models(Coordinator coordinator, String key) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client
          .send(
              HttpRequest.newBuilder(URI.create(coordinator.apiUrl() + "/v1/models"))
                  .header("x-api-key", key)
                  .build(),
              BodyHandlers.ofString())
          .body();
    }
  }
}
