package dev.cloister.engine.llamacpp.jni;

import de.kherud.llama.LlamaModel;
import dev.cloister.engine.generation.prompt.ChatMessage;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Renders conversations with the model's own chat template.
 *
 * <p>java-llama.cpp hands the rendered text over as JNI's modified UTF-8, which breaks characters
 * beyond the Basic Multilingual Plane and ends at U+0000; such characters are therefore replaced by
 * private-use ones that the conversation does not hold, and put back afterwards. Its typed
 * parameters refuse the role of tools, so the JSON they stand for is written here.
 */
final class ChatTemplate {

  private static final int FIRST_PRIVATE = 0xE000;
  private static final int LAST_PRIVATE = 0xF8FF;

  private final LlamaModel model;

  ChatTemplate(LlamaModel model) {
    this.model = model;
  }

  /** Not thread-safe. Throws IllegalArgumentException for more rare characters than can be kept. */
  String render(List<ChatMessage> messages) {
    Map<Integer, Character> standIns = standIns(messages);
    StringBuilder json = new StringBuilder("{\"messages\":[");
    String separator = "";
    for (ChatMessage message : messages) {
      json.append(separator)
          .append("{\"role\":\"")
          .append(name(message.role()))
          .append("\",\"content\":");
      quote(replaced(message.content(), standIns), json);
      json.append('}');
      separator = ",";
    }
    String rendered = model.applyTemplate(json.append("]}").toString());
    return restored(rendered, standIns);
  }

  private static String name(ChatMessage.Role role) {
    return switch (role) {
      case SYSTEM -> "system";
      case USER -> "user";
      case ASSISTANT -> "assistant";
      case TOOL -> "tool";
    };
  }

  private static boolean breaks(int codePoint) {
    return codePoint == 0 || !Character.isBmpCodePoint(codePoint);
  }

  private static Map<Integer, Character> standIns(List<ChatMessage> messages) {
    int[] rare =
        messages.stream()
            .flatMapToInt(m -> m.content().codePoints())
            .filter(ChatTemplate::breaks)
            .distinct()
            .toArray();
    Map<Integer, Character> standIns = new HashMap<>();
    int next = FIRST_PRIVATE;
    for (int codePoint : rare) {
      while (next <= LAST_PRIVATE && held(messages, next)) {
        next++;
      }
      if (next > LAST_PRIVATE) {
        throw new IllegalArgumentException(
            "messages hold %d different characters beyond U+FFFF (expected: at most %d)"
                .formatted(rare.length, LAST_PRIVATE - FIRST_PRIVATE + 1));
      }
      standIns.put(codePoint, (char) next++);
    }
    return standIns;
  }

  private static boolean held(List<ChatMessage> messages, int character) {
    return messages.stream().anyMatch(m -> m.content().indexOf(character) >= 0);
  }

  private static String replaced(String content, Map<Integer, Character> standIns) {
    if (standIns.isEmpty()) {
      return content;
    }
    StringBuilder text = new StringBuilder(content.length());
    content
        .codePoints()
        .forEach(
            c -> {
              Character standIn = standIns.get(c);
              text.appendCodePoint(standIn == null ? c : standIn);
            });
    return text.toString();
  }

  private static String restored(String rendered, Map<Integer, Character> standIns) {
    if (standIns.isEmpty()) {
      return rendered;
    }
    Map<Integer, Integer> originals = new HashMap<>();
    standIns.forEach((codePoint, standIn) -> originals.put((int) standIn, codePoint));
    StringBuilder text = new StringBuilder(rendered.length());
    rendered.codePoints().forEach(c -> text.appendCodePoint(originals.getOrDefault(c, c)));
    return text.toString();
  }

  private static void quote(String text, StringBuilder json) {
    json.append('"');
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
    json.append('"');
  }
}
