package dev.cloister.client;

import dev.cloister.client.ModelInfo.Options;
import dev.cloister.client.admin.PlanInfo;
import dev.cloister.proto.agent.v1.EngineOptions;
import dev.cloister.proto.catalog.v1.Model;
import dev.cloister.proto.catalog.v1.ModelOptions;
import dev.cloister.proto.catalog.v1.Plan;
import dev.cloister.proto.catalog.v1.PlanModelResponse;
import dev.cloister.proto.catalog.v1.ReplicaStage;
import dev.cloister.proto.fleet.v1.Drain;
import dev.cloister.proto.fleet.v1.Node;
import dev.cloister.proto.inference.v1.ChatPrompt;
import dev.cloister.proto.inference.v1.GenerateRequest;
import dev.cloister.proto.inference.v1.JsonObject;
import dev.cloister.proto.inference.v1.TokenProbability;
import dev.cloister.proto.inference.v1.ToolChoice.Mode;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** What is asked and answered, between this library's types and the wire. */
final class Wire {
  private Wire() {}

  static GenerateRequest toWire(ChatRequest request) {
    ChatPrompt.Builder prompt = ChatPrompt.newBuilder().setToolChoice(toWire(request.toolChoice()));
    request.messages().forEach(message -> prompt.addMessages(toWire(message)));
    for (Tool tool : request.tools()) {
      prompt.addToolsBuilder().setName(tool.name()).setJson(definition(tool));
    }
    GenerateRequest.Builder wire = GenerateRequest.newBuilder().setModel(request.model());
    var generation = wire.getGenerationBuilder().setChat(prompt).setMaxTokens(request.maxTokens());
    request
        .temperature()
        .ifPresent(value -> generation.getSamplingBuilder().setTemperature((float) value));
    request.seed().ifPresent(value -> generation.getSamplingBuilder().setSeed(value));
    switch (request.format()) {
      case AnswerFormat.Text _ -> {}
      case AnswerFormat.Json _ -> generation.setJsonObject(JsonObject.getDefaultInstance());
      case AnswerFormat.JsonSchema(String schema) -> generation.setJsonSchema(schema);
      case AnswerFormat.Grammar(String gbnf) -> generation.setGrammar(gbnf);
    }
    request.topLogprobs().ifPresent(generation::setTopLogprobs);
    return wire.build();
  }

  private static dev.cloister.proto.inference.v1.ChatMessage toWire(ChatMessage message) {
    var wire =
        dev.cloister.proto.inference.v1.ChatMessage.newBuilder()
            .setRole(toWire(message.role()))
            .setContent(message.content())
            .setToolCallId(message.toolCallId())
            .setName(message.name())
            .setReasoning(message.reasoning());
    for (Tool.Call call : message.toolCalls()) {
      wire.addToolCallsBuilder()
          .setId(call.id())
          .setName(call.name())
          .setArguments(call.arguments());
    }
    return wire.build();
  }

  private static dev.cloister.proto.inference.v1.ToolChoice toWire(Tool.Choice choice) {
    var wire = dev.cloister.proto.inference.v1.ToolChoice.newBuilder();
    return switch (choice) {
      case Tool.Choice.Auto _ -> wire.build();
      case Tool.Choice.None _ -> wire.setMode(Mode.MODE_NONE).build();
      case Tool.Choice.Required _ -> wire.setMode(Mode.MODE_REQUIRED).build();
      case Tool.Choice.Named(String name) -> wire.setMode(Mode.MODE_NAMED).setName(name).build();
    };
  }

  /** As OpenAI writes it, which is the form that models know. */
  private static String definition(Tool tool) {
    return "{\"type\": \"function\", \"function\": {\"name\": "
        + quoted(tool.name())
        + ", \"description\": "
        + quoted(tool.description())
        + ", \"parameters\": "
        + tool.parameters()
        + "}}";
  }

  /** A JSON string (RFC 8259, section 7). */
  private static String quoted(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < ' ') {
        json.append("\\u%04x".formatted((int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }

  static TokenLogprob fromWire(dev.cloister.proto.inference.v1.TokenLogprob wire) {
    return fromWire(
        wire.getToken(),
        wire.getTopList().stream().map(token -> fromWire(token, List.of())).toList());
  }

  private static TokenLogprob fromWire(TokenProbability token, List<TokenLogprob> alternatives) {
    return new TokenLogprob(
        token.getId(), token.getText().toStringUtf8(), token.getLogprob(), alternatives);
  }

  private static dev.cloister.proto.inference.v1.ChatMessage.Role toWire(ChatMessage.Role role) {
    return switch (role) {
      case SYSTEM -> dev.cloister.proto.inference.v1.ChatMessage.Role.ROLE_SYSTEM;
      case USER -> dev.cloister.proto.inference.v1.ChatMessage.Role.ROLE_USER;
      case ASSISTANT -> dev.cloister.proto.inference.v1.ChatMessage.Role.ROLE_ASSISTANT;
      case TOOL -> dev.cloister.proto.inference.v1.ChatMessage.Role.ROLE_TOOL;
    };
  }

  static ModelInfo fromWire(Model wire) {
    return new ModelInfo(
        wire.getName(),
        wire.getSha256(),
        wire.getSizeBytes(),
        Instant.ofEpochMilli(wire.getCreatedAtMillis()),
        fromWire(wire.getOptions()),
        wire.getRequired().getValuesMap(),
        WireRetention.fromWire(wire.getRetention()),
        wire.getReplicasList().stream()
            .map(
                replica ->
                    new ModelInfo.Replica(
                        replica.getNodeId(),
                        replica.getNodeName(),
                        replica.getState(),
                        replica.getError(),
                        replica.getProgress(),
                        replica.getContextTokens(),
                        replica.getSlots(),
                        replica.getEngine(),
                        replica.getFull(),
                        replica.getResidentBytes(),
                        replica.hasStage()
                            ? Optional.of(fromWire(replica.getStage()))
                            : Optional.empty(),
                        replica.hasResidence()
                            ? Optional.of(WireRetention.fromWire(replica.getResidence()))
                            : Optional.empty()))
            .toList(),
        wire.getObstacle());
  }

  private static ModelInfo.Stage fromWire(ReplicaStage wire) {
    return new ModelInfo.Stage(
        wire.getPlan(),
        wire.getIndex(),
        wire.getCount(),
        wire.getFirstLayer(),
        wire.getEndLayer(),
        wire.getRelayedStreams(),
        wire.getRelayedBytes());
  }

  static PlanInfo fromWire(PlanModelResponse wire) {
    return new PlanInfo(
        wire.hasPlan() ? Optional.of(fromWire(wire.getPlan())) : Optional.empty(),
        wire.getAlternativesList().stream().map(Wire::fromWire).toList(),
        wire.getReason());
  }

  private static PlanInfo.Plan fromWire(Plan wire) {
    return new PlanInfo.Plan(
        wire.getStagesList().stream()
            .map(
                stage ->
                    new PlanInfo.Stage(
                        stage.getNodeId(),
                        stage.getNodeName(),
                        stage.getFirstLayer(),
                        stage.getEndLayer(),
                        stage.getWeightBytes(),
                        stage.getKvBytes(),
                        stage.getComputeBytes(),
                        stage.getMemoryBytes(),
                        stage.getFreeBytes(),
                        stage.getSecondsPerToken(),
                        stage.getHopSeconds(),
                        stage.getRelayed(),
                        stage.getHopMeasured()))
            .toList(),
        wire.getSecondsPerToken(),
        wire.getPromptTokensPerSecond(),
        wire.getTotalTokensPerSecond(),
        wire.getLoadSeconds());
  }

  private static Options fromWire(ModelOptions wire) {
    EngineOptions engine = wire.getEngine();
    return new Options(
        number(wire.hasContextTokens(), wire.getContextTokens()),
        number(wire.hasSlots(), wire.getSlots()),
        number(engine.hasThreads(), engine.getThreads()),
        number(engine.hasBatchThreads(), engine.getBatchThreads()),
        number(engine.hasBatchTokens(), engine.getBatchTokens()),
        number(engine.hasGpuLayers(), engine.getGpuLayers()),
        number(engine.hasMainGpu(), engine.getMainGpu()),
        switch (engine.getKvType()) {
          case KV_TYPE_F16 -> Optional.of(Options.KvType.F16);
          case KV_TYPE_Q8_0 -> Optional.of(Options.KvType.Q8_0);
          case KV_TYPE_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
        },
        engine.hasKvOnHost()
            ? Optional.of(engine.getKvOnHost() ? Options.KvPlace.HOST : Options.KvPlace.GPU)
            : Optional.empty(),
        switch (engine.getFlashAttention()) {
          case FLASH_ATTENTION_AUTO -> Optional.of(Options.FlashAttention.AUTO);
          case FLASH_ATTENTION_ON -> Optional.of(Options.FlashAttention.ON);
          case FLASH_ATTENTION_OFF -> Optional.of(Options.FlashAttention.OFF);
          case FLASH_ATTENTION_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
        },
        number(wire.hasSplit(), wire.getSplit().getStages()),
        wire.getSplit().getForce());
  }

  private static OptionalInt number(boolean given, int value) {
    return given ? OptionalInt.of(value) : OptionalInt.empty();
  }

  static ModelOptions toWire(Options options) {
    ModelOptions.Builder wire = ModelOptions.newBuilder();
    options.contextTokens().ifPresent(wire::setContextTokens);
    options.slots().ifPresent(wire::setSlots);
    options
        .split()
        .ifPresent(stages -> wire.getSplitBuilder().setStages(stages).setForce(options.force()));
    EngineOptions.Builder engine = wire.getEngineBuilder();
    options.threads().ifPresent(engine::setThreads);
    options.batchThreads().ifPresent(engine::setBatchThreads);
    options.batchTokens().ifPresent(engine::setBatchTokens);
    options.gpuLayers().ifPresent(engine::setGpuLayers);
    options.mainGpu().ifPresent(engine::setMainGpu);
    options
        .kvType()
        .ifPresent(
            type ->
                engine.setKvType(
                    switch (type) {
                      case F16 -> EngineOptions.KvType.KV_TYPE_F16;
                      case Q8_0 -> EngineOptions.KvType.KV_TYPE_Q8_0;
                    }));
    options.kvPlace().ifPresent(place -> engine.setKvOnHost(place == Options.KvPlace.HOST));
    options
        .flashAttention()
        .ifPresent(
            flash ->
                engine.setFlashAttention(
                    switch (flash) {
                      case AUTO -> EngineOptions.FlashAttention.FLASH_ATTENTION_AUTO;
                      case ON -> EngineOptions.FlashAttention.FLASH_ATTENTION_ON;
                      case OFF -> EngineOptions.FlashAttention.FLASH_ATTENTION_OFF;
                    }));
    return wire.build();
  }

  static NodeInfo fromWire(Node wire) {
    var capability = wire.getCapability();
    return new NodeInfo(
        wire.getId(),
        wire.getName(),
        switch (wire.getState()) {
          case STATE_ONLINE -> NodeInfo.State.ONLINE;
          case STATE_LOST -> NodeInfo.State.LOST;
          case STATE_OFFLINE, STATE_UNSPECIFIED, UNRECOGNIZED -> NodeInfo.State.OFFLINE;
        },
        wire.getLastSeenMillis() == 0
            ? Optional.empty()
            : Optional.of(Instant.ofEpochMilli(wire.getLastSeenMillis())),
        wire.getAgentVersion(),
        capability.getOperatingSystem(),
        capability.getArchitecture(),
        capability.getCpu().getModel(),
        capability.getCpu().getLogicalCores(),
        capability.getCpu().getVectorExtensionsList(),
        capability.getMemory().getTotalBytes(),
        wire.hasLoad()
            ? wire.getLoad().getMemoryAvailableBytes()
            : capability.getMemory().getAvailableBytes(),
        wire.getLoad().getMemoryBytesPerSecond(),
        wire.getLoad().getCpuUtilization(),
        capability.getGpusList().stream()
            .map(
                gpu ->
                    new NodeInfo.Gpu(
                        gpu.getModel(), gpu.getMemoryTotalBytes(), gpu.getMemoryFreeBytes()))
            .toList(),
        wire.getReadyModelsList(),
        wire.getStagesList().stream()
            .map(
                stage ->
                    new NodeInfo.ModelStage(
                        stage.getModel(),
                        stage.getIndex(),
                        stage.getCount(),
                        stage.getFirstLayer(),
                        stage.getEndLayer(),
                        stage.getState()))
            .toList(),
        wire.hasDrain() ? Optional.of(fromWire(wire.getDrain())) : Optional.empty(),
        wire.getLabels().getValuesMap(),
        wire.getActiveRequests());
  }

  private static NodeInfo.Drain fromWire(Drain wire) {
    return new NodeInfo.Drain(
        switch (wire.getCause()) {
          case CAUSE_OWNER -> NodeInfo.Drain.Cause.OWNER;
          case CAUSE_STOPPING -> NodeInfo.Drain.Cause.STOPPING;
          case CAUSE_ADMINISTRATOR, CAUSE_UNSPECIFIED, UNRECOGNIZED ->
              NodeInfo.Drain.Cause.ADMINISTRATOR;
        },
        wire.getReason(),
        Instant.ofEpochMilli(wire.getDeadlineMillis()));
  }

  static RoutingDecision fromWire(dev.cloister.proto.routing.v1.Decision wire) {
    return new RoutingDecision(
        Instant.ofEpochMilli(wire.getAtMillis()),
        wire.getModel(),
        wire.getTokensBefore(),
        wire.getPromptTokens(),
        wire.getAnswerTokens(),
        wire.getCandidates(),
        wire.getPredictionsList().stream().map(Wire::fromWire).toList());
  }

  private static RoutingDecision.Prediction fromWire(
      dev.cloister.proto.routing.v1.Prediction wire) {
    return new RoutingDecision.Prediction(
        wire.getNodeId(),
        wire.getNode(),
        wire.getSeconds(),
        wire.getWaitSeconds(),
        wire.getLoadSeconds(),
        wire.getPromptSeconds(),
        wire.getAnswerSeconds(),
        wire.getRoundTripSeconds(),
        wire.getCachedTokens(),
        wire.getPromptTokensPerSecond(),
        wire.getTokensPerSecond(),
        wire.getMeasured(),
        wire.getActive(),
        wire.getSlots(),
        wire.getFull(),
        wire.getLimit());
  }
}
