package dev.cloister.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cloister.identity.Role;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.CapabilityReport;
import dev.cloister.proto.agent.v1.CoordinatorMessage;
import dev.cloister.proto.agent.v1.CourtesyPolicy;
import dev.cloister.proto.agent.v1.Hello;
import dev.cloister.proto.agent.v1.Memory;
import dev.cloister.proto.fleet.v1.FleetServiceGrpc;
import dev.cloister.proto.fleet.v1.FleetServiceGrpc.FleetServiceBlockingStub;
import dev.cloister.proto.fleet.v1.ListPoliciesRequest;
import dev.cloister.proto.fleet.v1.ListPoliciesResponse;
import dev.cloister.proto.fleet.v1.SetPolicyRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What administrators say of when machines work, on its way to an agent. */
@SuppressWarnings("NullAway.Init")
class PoliciesOnTheWireTest {
  private static final long MEMORY = 64L << 30;
  private static final CourtesyPolicy OWNER =
      CourtesyPolicy.newBuilder().setForeignCpu(0.25).build();
  private static final CourtesyPolicy BUSY_ALLOWED =
      CourtesyPolicy.newBuilder().setForeignCpu(0.5).setMemoryBytes(8L << 30).build();

  @TempDir private Path directory;
  private TestClusterPort cluster;
  private AgentOnTheWire agent;
  private FleetServiceBlockingStub administrator;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestClusterPort(directory);
    agent = new AgentOnTheWire(cluster.channel(cluster.join(Role.AGENT, "desk").identity()));
    agent.send(
        AgentMessage.newBuilder()
            .setHello(
                Hello.newBuilder()
                    .setOwner(OWNER)
                    .setCapability(
                        CapabilityReport.newBuilder()
                            .setMemory(
                                Memory.newBuilder()
                                    .setTotalBytes(MEMORY)
                                    .setAvailableBytes(MEMORY))))
            .build());
    await().until(() -> told().size() == 1 && memory() == MEMORY);
    administrator =
        FleetServiceGrpc.newBlockingStub(
            cluster.channel(cluster.join(Role.ADMIN, "boss").identity()));
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  @Test
  void anAgentThatIsThereIsToldAtOnceAndCountsWithWhatModelsMayTakeOfIt() {
    assertThat(told().getFirst().getNotOnBattery()).isTrue();
    set("", BUSY_ALLOWED, false);
    await().until(() -> told().size() == 2);
    assertThat(told().getLast()).isEqualTo(BUSY_ALLOWED.toBuilder().setNotOnBattery(true).build());
    assertThat(memory()).isEqualTo(8L << 30);
    set("desk", CourtesyPolicy.newBuilder().setMemoryBytes(Long.MAX_VALUE).build(), false);
    await().until(() -> told().size() == 3);
    assertThat(memory()).isEqualTo(MEMORY);
    set("desk", CourtesyPolicy.getDefaultInstance(), true);
    await().until(() -> told().size() == 4);
    assertThat(memory()).isEqualTo(8L << 30);
  }

  @Test
  void whoSaysWhatIsToldToAdministratorsAndClients() {
    set("", BUSY_ALLOWED, false);
    FleetServiceBlockingStub client =
        FleetServiceGrpc.newBlockingStub(
            cluster.channel(cluster.join(Role.CLIENT, "laptop").identity()));
    ListPoliciesResponse said = client.listPolicies(ListPoliciesRequest.getDefaultInstance());
    assertThat(said.getInitial().getNotOnBattery()).isTrue();
    assertThat(said.getAll()).isEqualTo(BUSY_ALLOWED);
    assertThat(said.getNodes(0).getNode()).isEqualTo("desk");
    assertThat(said.getNodes(0).getOwn()).isEqualTo(CourtesyPolicy.getDefaultInstance());
    assertThat(said.getNodes(0).getOwner()).isEqualTo(OWNER);
    assertStatus(
        Status.Code.PERMISSION_DENIED,
        () -> client.setPolicy(SetPolicyRequest.getDefaultInstance()));
  }

  @Test
  void whatMakesNoSenseIsRefusedAndToldToNobody() {
    assertStatus(Status.Code.NOT_FOUND, () -> set("nowhere", BUSY_ALLOWED, false));
    for (CourtesyPolicy.Builder wrong :
        List.of(
            CourtesyPolicy.newBuilder().setForeignCpu(1.5),
            CourtesyPolicy.newBuilder().setForeignGpu(Double.NaN),
            CourtesyPolicy.newBuilder().setDiskBytes(-1),
            CourtesyPolicy.newBuilder()
                .setHours(CourtesyPolicy.Hours.newBuilder().setToMinute(24 * 60)))) {
      assertStatus(Status.Code.INVALID_ARGUMENT, () -> set("", wrong.build(), false));
    }
    assertThat(told()).hasSize(1);
  }

  private void set(String node, CourtesyPolicy policy, boolean reset) {
    var _ =
        administrator.setPolicy(
            SetPolicyRequest.newBuilder().setNode(node).setPolicy(policy).setReset(reset).build());
  }

  private static void assertStatus(Status.Code code, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refused -> assertThat(refused.getStatus().getCode()).isEqualTo(code));
  }

  private List<CourtesyPolicy> told() {
    return agent.received().stream()
        .filter(CoordinatorMessage::hasPolicy)
        .map(CoordinatorMessage::getPolicy)
        .toList();
  }

  /** What the coordinator counts with, once the node is there. */
  private long memory() {
    return cluster.fleet.nodes().getFirst().capability().stream()
        .mapToLong(capability -> capability.memoryAvailableBytes())
        .sum();
  }
}
