package dev.cloister.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.identity.Role;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.CoordinatorMessage;
import dev.cloister.proto.agent.v1.EngineOptions;
import dev.cloister.proto.agent.v1.LoadReport;
import dev.cloister.proto.agent.v1.ModelStatus;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc.CatalogServiceBlockingStub;
import dev.cloister.proto.catalog.v1.ConfigureModelRequest;
import dev.cloister.proto.catalog.v1.ListModelsRequest;
import dev.cloister.proto.catalog.v1.Model;
import dev.cloister.proto.catalog.v1.ModelOptions;
import dev.cloister.proto.catalog.v1.Replica;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class ModelAdministrationTest {
  private static final ModelOptions EVERYTHING =
      ModelOptions.newBuilder()
          .setContextTokens(512)
          .setSlots(2)
          .setEngine(
              EngineOptions.newBuilder()
                  .setThreads(3)
                  .setBatchThreads(4)
                  .setBatchTokens(64)
                  .setGpuLayers(-1)
                  .setMainGpu(0)
                  .setKvType(EngineOptions.KvType.KV_TYPE_Q8_0)
                  .setKvOnHost(false)
                  .setFlashAttention(EngineOptions.FlashAttention.FLASH_ATTENTION_ON))
          .build();

  @TempDir private Path directory;
  private TestClusterPort cluster;
  private CatalogServiceBlockingStub catalog;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestClusterPort(directory);
    catalog = stub(Role.ADMIN);
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private CatalogServiceBlockingStub stub(Role role) {
    return CatalogServiceGrpc.newBlockingStub(
        cluster.channel(cluster.join(role, role.segment()).identity()));
  }

  @Test
  void whatAnAdministratorSetsIsListedAndReachesTheAgents() {
    configure("tiny", EVERYTHING);
    assertThat(tiny().getOptions()).isEqualTo(EVERYTHING);

    Membership desk = cluster.join(Role.AGENT, "desk");
    AgentOnTheWire agent = new AgentOnTheWire(cluster.channel(desk.identity())).open();
    cluster
        .fleet
        .session(desk.identity().current().id().memberId())
        .orElseThrow()
        .serve(
            new Assignment(cluster.catalog.find("tiny").orElseThrow(), 512, 2, Optional.empty()));
    await().until(() -> agent.received().stream().anyMatch(CoordinatorMessage::hasServe));
    var serve = agent.received().getLast().getServe();
    assertThat(serve.getContextTokens()).isEqualTo(512);
    assertThat(serve.getSlots()).isEqualTo(2);
    assertThat(serve.getOptions()).isEqualTo(EVERYTHING.getEngine());

    configure("tiny", ModelOptions.getDefaultInstance());
    assertThat(tiny().getOptions().getEngine()).isEqualTo(EngineOptions.getDefaultInstance());
  }

  @Test
  void whatCannotBeSetIsSaidInOneSentence() {
    assertThatThrownBy(() -> configure("other", EVERYTHING))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessage("NOT_FOUND: there is no model 'other'; see: cloister model list");
    assertThatThrownBy(() -> configure("tiny", ModelOptions.newBuilder().setSlots(65).build()))
        .hasMessage("INVALID_ARGUMENT: slots: 65 (expected: 1 to 64)");
    ModelOptions.Builder newer = ModelOptions.newBuilder();
    newer.getEngineBuilder().setKvTypeValue(99);
    assertThatThrownBy(() -> configure("tiny", newer.build()))
        .hasMessage("INVALID_ARGUMENT: kv-type: 99 (expected: f16, q8_0)");
    newer
        .getEngineBuilder()
        .setKvType(EngineOptions.KvType.KV_TYPE_Q8_0)
        .setFlashAttention(EngineOptions.FlashAttention.FLASH_ATTENTION_OFF);
    assertThatThrownBy(() -> configure("tiny", newer.build()))
        .hasMessage(
            "INVALID_ARGUMENT: kv-type q8_0 needs flash attention, which is turned off; leave it"
                + " to auto");
    assertThatThrownBy(
            () ->
                stub(Role.CLIENT)
                    .configureModel(ConfigureModelRequest.newBuilder().setModel("tiny").build()))
        .hasMessageStartingWith("PERMISSION_DENIED");
  }

  @Test
  void howFarAModelIsAndWhatRunsItIsListed() {
    AgentOnTheWire agent =
        new AgentOnTheWire(cluster.channel(cluster.join(Role.AGENT, "desk").identity())).open();
    agent.send(status(ModelStatus.newBuilder().setState(ModelStatus.State.STATE_LOADING)));
    await().until(() -> tiny().getReplicasCount() == 1);
    assertThat(tiny().getReplicas(0).getState()).isEqualTo("loading");
    assertThat(tiny().getReplicas(0).getProgress()).isEqualTo(0.5f);

    agent.send(
        status(
            ModelStatus.newBuilder()
                .setState(ModelStatus.State.STATE_READY)
                .setContextTokens(512)
                .setSlots(2)
                .setEngine("llama.cpp b4916")
                .setFull(true)));
    await().until(() -> tiny().getReplicas(0).getState().equals("ready"));
    Replica ready = tiny().getReplicas(0);
    assertThat(ready.getContextTokens()).isEqualTo(512);
    assertThat(ready.getSlots()).isEqualTo(2);
    assertThat(ready.getEngine()).isEqualTo("llama.cpp b4916");
    assertThat(ready.getFull()).isTrue();

    LoadReport.Builder load = LoadReport.newBuilder();
    load.addModelsBuilder().setModel("tiny").setResidentBytes(1 << 20);
    load.addModelsBuilder().setModel("other").setResidentBytes(2 << 20);
    agent.send(AgentMessage.newBuilder().setLoad(load).build());
    await().until(() -> tiny().getReplicas(0).getResidentBytes() == 1 << 20);
    assertThat(tiny().getReplicas(0).getContextTokens()).isEqualTo(512);
  }

  private static AgentMessage status(ModelStatus.Builder status) {
    return AgentMessage.newBuilder().setModel(status.setModel("tiny").setProgress(0.5f)).build();
  }

  private void configure(String model, ModelOptions options) {
    var _ =
        catalog.configureModel(
            ConfigureModelRequest.newBuilder().setModel(model).setOptions(options).build());
  }

  private Model tiny() {
    return catalog.listModels(ListModelsRequest.getDefaultInstance()).getModels(0);
  }
}
