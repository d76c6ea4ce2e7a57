package dev.cloister.agent.link;

import static dev.cloister.agent.link.LinkedAgent.MODEL;
import static dev.cloister.agent.link.LinkedAgent.awaitMessages;
import static dev.cloister.agent.link.LinkedAgent.ready;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.agent.link.FakeCoordinator.Visit;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.EngineOptions;
import dev.cloister.proto.agent.v1.ModelStatus;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the coordinator says of models, and what it is told. */
@Timeout(90)
class ModelCommandsTest {
  @AutoClose private final LinkedAgent agent;

  ModelCommandsTest(@TempDir Path directory) throws IOException {
    agent = new LinkedAgent(directory);
  }

  @Test
  void whatAModelOffersIsReported() {
    Visit visit = agent.visit(1);
    ready(visit);
    ModelStatus ready =
        visit.messages.stream()
            .filter(LinkedAgent::isReady)
            .map(AgentMessage::getModel)
            .findFirst()
            .orElseThrow();
    assertThat(ready.getFull()).isTrue();
    assertThat(ready.getGenerates()).isTrue();
    assertThat(ready.getEmbeds()).isTrue();
    assertThat(ready.getReranks()).isFalse();
  }

  @Test
  void aModelThatCannotBeServedIsSaidSoAndTheSessionGoesOn() {
    Visit visit = agent.visit(1);
    visit.serve("evil", "../../etc/passwd");
    awaitMessages(
        visit,
        message ->
            message.getModel().getState() == ModelStatus.State.STATE_FAILED
                && message.getModel().getError().contains("SHA-256"),
        1);
    ready(visit);
    assertThat(agent.coordinator.visits).hasSize(1);
  }

  @Test
  void theOptionsOfAModelReachItsEngine() {
    Visit visit = agent.visit(1);
    visit.serve(
        "tiny",
        MODEL.sha256(),
        EngineOptions.newBuilder()
            .setThreads(1)
            .setBatchThreads(2)
            .setBatchTokens(64)
            .setGpuLayers(-1)
            .setMainGpu(0)
            .setKvType(EngineOptions.KvType.KV_TYPE_Q8_0)
            .setKvOnHost(true)
            .setFlashAttention(EngineOptions.FlashAttention.FLASH_ATTENTION_ON)
            .build());
    awaitMessages(visit, LinkedAgent::isReady, 1);
    assertThat(agent.engines.commandLine())
        .containsSequence(
            "--threads",
            "1",
            "--batch-threads",
            "2",
            "--batch",
            "64",
            "--gpu-layers",
            "-1",
            "--main-gpu",
            "0",
            "--kv-type",
            "q8_0",
            "--kv-on",
            "host",
            "--flash-attention",
            "on");
  }

  @Test
  void optionsOutOfRangeAreSaidToBe() {
    Visit visit = agent.visit(1);
    visit.serve("tiny", MODEL.sha256(), EngineOptions.newBuilder().setBatchTokens(1).build());
    awaitMessages(
        visit,
        message -> message.getModel().getError().equals("batch: 1 (expected: 32 to 8192)"),
        1);
  }
}
