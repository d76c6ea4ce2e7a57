package dev.cloister.cli.model;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.cloister.cli.node.NodeJson;
import dev.cloister.client.ModelInfo;
import java.io.IOException;
import java.util.Map;

/** Models as {@code cloister model ... --json} prints them. */
final class ModelJson {
  private ModelJson() {}

  static void write(JsonGenerator json, ModelInfo model) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", model.name());
    json.writeStringField("sha256", model.sha256());
    json.writeNumberField("size_bytes", model.sizeBytes());
    json.writeStringField("created_at", model.createdAt().toString());
    json.writeObjectFieldStart("options");
    for (Map.Entry<String, Object> option : ModelFlags.shown(model.options()).entrySet()) {
      json.writeObjectField(option.getKey().replace('-', '_'), option.getValue());
    }
    json.writeEndObject();
    NodeJson.writeLabels(json, "required", model.required());
    json.writeBooleanField("pinned", model.retention().pinned());
    json.writeFieldName("keep_alive_seconds");
    if (model.retention().keepAlive().isPresent()) {
      json.writeNumber(model.retention().keepAlive().get().toSeconds());
    } else {
      json.writeNull();
    }
    json.writeArrayFieldStart("replicas");
    for (ModelInfo.Replica replica : model.replicas()) {
      write(json, replica);
    }
    json.writeEndArray();
    json.writeStringField("obstacle", model.obstacle());
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, ModelInfo.Replica replica) throws IOException {
    boolean ready = replica.state().equals("ready");
    json.writeStartObject();
    json.writeStringField("node_id", replica.nodeId());
    json.writeStringField("node", replica.nodeName());
    json.writeStringField("state", replica.state());
    json.writeStringField("error", replica.error());
    json.writeNumberField("progress", ready ? 1 : replica.progress());
    json.writeNumberField("context_tokens", replica.contextTokens());
    json.writeNumberField("slots", replica.slots());
    json.writeStringField("engine", replica.engine());
    json.writeBooleanField("full", replica.full());
    json.writeNumberField("resident_bytes", replica.residentBytes());
    json.writeFieldName("stage");
    if (replica.stage().isPresent()) {
      ModelInfo.Stage stage = replica.stage().get();
      json.writeStartObject();
      json.writeStringField("plan", stage.plan());
      json.writeNumberField("index", stage.index());
      json.writeNumberField("count", stage.count());
      json.writeNumberField("first_layer", stage.firstLayer());
      json.writeNumberField("end_layer", stage.endLayer());
      json.writeNumberField("relayed_streams", stage.relayedStreams());
      json.writeNumberField("relayed_bytes", stage.relayedBytes());
      json.writeEndObject();
    } else {
      json.writeNull();
    }
    json.writeEndObject();
  }
}
