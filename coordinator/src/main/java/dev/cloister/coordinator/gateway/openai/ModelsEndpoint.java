package dev.cloister.coordinator.gateway.openai;

import com.fasterxml.jackson.core.JsonGenerator;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelName;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@code GET /v1/models} and {@code GET /v1/models/{id}}. */
public final class ModelsEndpoint implements HttpService {
  private final Catalog catalog;

  public ModelsEndpoint(Catalog catalog) {
    this.catalog = catalog;
  }

  @Override
  public HttpResponse serve(ServiceRequestContext context, HttpRequest request) {
    @Nullable String id = context.pathParam("id");
    // Names may hold a slash; clients send it as it is, or as %2F, which Armeria leaves alone.
    return id == null ? all() : one(id.replace("%2F", "/").replace("%2f", "/"));
  }

  private HttpResponse all() {
    return json(
        json -> {
          json.writeStartObject();
          json.writeStringField("object", "list");
          json.writeArrayFieldStart("data");
          for (Model model : catalog.models()) {
            write(json, model);
          }
          json.writeEndArray();
          json.writeEndObject();
        });
  }

  private HttpResponse one(String id) {
    Optional<Model> model = catalog.find(id);
    if (model.isEmpty()) {
      return new OpenAiError(
              HttpStatus.NOT_FOUND,
              "the model '" + ModelName.shown(id) + "' does not exist",
              "invalid_request_error",
              "model",
              "model_not_found")
          .response();
    }
    return json(json -> write(json, model.get()));
  }

  private static HttpResponse json(Json.Content content) {
    return HttpResponse.of(HttpStatus.OK, MediaType.JSON_UTF_8, Json.bytes(content));
  }

  private static void write(JsonGenerator json, Model model) throws IOException {
    json.writeStartObject();
    json.writeStringField("id", model.name());
    json.writeStringField("object", "model");
    json.writeNumberField("created", model.createdAt().getEpochSecond());
    json.writeStringField("owned_by", "cloister");
    json.writeEndObject();
  }
}
