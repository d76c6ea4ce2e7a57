package dev.cloister.cli.node;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.cloister.client.NodeInfo;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Nodes as {@code cloister node list --json} prints them. */
public final class NodeJson {
  private NodeJson() {}

  static void write(JsonGenerator json, List<NodeInfo> nodes) throws IOException {
    json.writeStartArray();
    for (NodeInfo node : nodes) {
      write(json, node);
    }
    json.writeEndArray();
  }

  static void write(JsonGenerator json, NodeInfo node) throws IOException {
    json.writeStartObject();
    json.writeStringField("id", node.id());
    json.writeStringField("name", node.name());
    json.writeStringField("state", node.state().name().toLowerCase(Locale.ROOT));
    json.writeFieldName("drain");
    if (node.drain().isPresent()) {
      NodeInfo.Drain drain = node.drain().get();
      json.writeStartObject();
      json.writeStringField("cause", drain.cause().name().toLowerCase(Locale.ROOT));
      json.writeStringField("reason", drain.reason());
      json.writeStringField("deadline", drain.deadline().toString());
      json.writeEndObject();
    } else {
      json.writeNull();
    }
    writeLabels(json, "labels", node.labels());
    json.writeNumberField("active_requests", node.activeRequests());
    json.writeStringField("last_seen", node.lastSeen().map(Instant::toString).orElse(null));
    json.writeStringField("agent_version", node.agentVersion());
    json.writeStringField("operating_system", node.operatingSystem());
    json.writeStringField("architecture", node.architecture());
    json.writeStringField("cpu", node.cpu());
    json.writeNumberField("cores", node.cores());
    writeStrings(json, "vector_extensions", node.vectorExtensions());
    json.writeNumberField("memory_total_bytes", node.memoryTotalBytes());
    json.writeNumberField("memory_available_bytes", node.memoryAvailableBytes());
    json.writeNumberField("memory_bytes_per_second", node.memoryBytesPerSecond());
    json.writeNumberField("cpu_utilization", node.cpuUtilization());
    json.writeArrayFieldStart("gpus");
    for (NodeInfo.Gpu gpu : node.gpus()) {
      json.writeStartObject();
      json.writeStringField("model", gpu.model());
      json.writeNumberField("memory_total_bytes", gpu.memoryTotalBytes());
      json.writeNumberField("memory_free_bytes", gpu.memoryFreeBytes());
      json.writeEndObject();
    }
    json.writeEndArray();
    writeStrings(json, "ready_models", node.readyModels());
    json.writeArrayFieldStart("stages");
    for (NodeInfo.ModelStage stage : node.stages()) {
      json.writeStartObject();
      json.writeStringField("model", stage.model());
      json.writeNumberField("index", stage.index());
      json.writeNumberField("count", stage.count());
      json.writeNumberField("first_layer", stage.firstLayer());
      json.writeNumberField("end_layer", stage.endLayer());
      json.writeStringField("state", stage.state());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  public static void writeLabels(JsonGenerator json, String name, Map<String, String> labels)
      throws IOException {
    json.writeObjectFieldStart(name);
    for (Map.Entry<String, String> label : new TreeMap<>(labels).entrySet()) {
      json.writeStringField(label.getKey(), label.getValue());
    }
    json.writeEndObject();
  }

  private static void writeStrings(JsonGenerator json, String name, List<String> values)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (String value : values) {
      json.writeString(value);
    }
    json.writeEndArray();
  }
}
