package dev.cloister.client;

import dev.cloister.proto.catalog.v1.Model;
import dev.cloister.proto.fleet.v1.Node;
import dev.cloister.proto.inference.v1.ChatPrompt;
import dev.cloister.proto.inference.v1.GenerateRequest;
import java.time.Instant;
import java.util.Optional;

/** What is asked and answered, between this library's types and the wire. */
final class Wire {
  private Wire() {}

  static GenerateRequest toWire(ChatRequest request) {
    ChatPrompt.Builder prompt = ChatPrompt.newBuilder();
    for (ChatMessage message : request.messages()) {
      prompt.addMessagesBuilder().setRole(toWire(message.role())).setContent(message.content());
    }
    GenerateRequest.Builder wire = GenerateRequest.newBuilder().setModel(request.model());
    var generation = wire.getGenerationBuilder().setChat(prompt).setMaxTokens(request.maxTokens());
    request
        .temperature()
        .ifPresent(value -> generation.getSamplingBuilder().setTemperature((float) value));
    request.seed().ifPresent(value -> generation.getSamplingBuilder().setSeed(value));
    return wire.build();
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
        wire.getReplicasList().stream()
            .map(
                replica ->
                    new ModelInfo.Replica(
                        replica.getNodeId(),
                        replica.getNodeName(),
                        replica.getState(),
                        replica.getError()))
            .toList());
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
        wire.getLoad().getCpuUtilization(),
        capability.getGpusList().stream()
            .map(
                gpu ->
                    new NodeInfo.Gpu(
                        gpu.getModel(), gpu.getMemoryTotalBytes(), gpu.getMemoryFreeBytes()))
            .toList(),
        wire.getReadyModelsList());
  }
}
