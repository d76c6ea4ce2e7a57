package dev.cloister.engine.chat.parsing;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads whole calls out of JSON. Thread-safe. */
final class CallReader {

  /**
   * A call without its place in the answer.
   *
   * @param arguments a JSON object, as written
   */
  record Call(String name, String arguments) {}

  private static final JsonFactory JSON = new JsonFactory();

  private final Set<String> tools;

  CallReader(Set<String> tools) {
    this.tools = Set.copyOf(tools);
  }

  boolean knows(String tool) {
    return tools.contains(tool);
  }

  /**
   * The calls that the text holds, one object or an array of them; empty when it is no JSON, or one
   * of them has not one name, names no tool of the request or has arguments that are no object.
   */
  List<Call> calls(String text) {
    List<Call> calls = new ArrayList<>();
    try (JsonParser parser = JSON.createParser(text)) {
      boolean several = parser.nextToken() == JsonToken.START_ARRAY;
      JsonToken token = several ? parser.nextToken() : parser.currentToken();
      do {
        Call call = token == JsonToken.START_OBJECT ? call(parser, text) : null;
        if (call == null) {
          return List.of();
        }
        calls.add(call);
        token = parser.nextToken();
      } while (several && token != JsonToken.END_ARRAY);
      return calls;
    } catch (IOException e) {
      return List.of();
    }
  }

  /** Whether the text is a JSON object. */
  boolean isObject(String text) {
    try (JsonParser parser = JSON.createParser(text)) {
      boolean object = parser.nextToken() == JsonToken.START_OBJECT;
      while (parser.nextToken() != null) {
        // Reading is what finds mistakes.
      }
      return object;
    } catch (IOException e) {
      return false;
    }
  }

  private @Nullable Call call(JsonParser parser, String text) throws IOException {
    String name = "";
    String arguments = "{}";
    Set<String> fields = new HashSet<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String field = parser.currentName();
      if (!fields.add(field)) {
        return null;
      }
      JsonToken value = parser.nextToken();
      switch (field) {
        case "name" -> name = value == JsonToken.VALUE_STRING ? parser.getText() : "";
        case "arguments", "parameters" -> {
          if (value == JsonToken.VALUE_STRING && isObject(parser.getText())) {
            // Some models quote the object, as the API they learnt from does.
            arguments = parser.getText();
          } else if (value == JsonToken.START_OBJECT) {
            int start = (int) parser.currentTokenLocation().getCharOffset();
            parser.skipChildren();
            arguments = text.substring(start, (int) parser.currentLocation().getCharOffset());
          } else {
            return null;
          }
        }
        default -> parser.skipChildren();
      }
    }
    return tools.contains(name) ? new Call(name, arguments) : null;
  }
}
