package dev.cloister.engine.chat.parsing;

import dev.cloister.engine.chat.parsing.CallReader.Call;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Text that began like a call, followed until it is one or is not. Each character is looked at
 * once. Not thread-safe.
 */
final class CallCandidate {

  /** What became of it. */
  enum Result {
    /** Not known yet; every character was taken. */
    MORE,
    /** Calls; what was not taken follows them. */
    CALLS,
    /** Plain text after all. */
    TEXT
  }

  private enum Stage {
    HEADER,
    JSON,
    CLOSING
  }

  private static final String HERMES_END = "</tool_call>";
  private static final Pattern NAMED =
      Pattern.compile("\\s*([^\\s\\[\\]{}]+)(?:\\[CALL_ID]\\s*\\w+)?\\[ARGS]\\s*");
  private static final int MAX_HEADER = 256;

  /** What a call's object may begin with; any other key makes it an answer in JSON. */
  private static final Set<String> FIRST_KEYS =
      Set.of("\"name\"", "\"type\"", "\"id\"", "\"arguments\"", "\"parameters\"");

  private final ToolCallSyntax syntax;
  private final CallReader reader;
  private final StringBuilder header = new StringBuilder();
  private final StringBuilder json = new StringBuilder();
  private final JsonScanner scanner = new JsonScanner();
  private Stage stage = Stage.HEADER;
  private String name = "";
  private boolean keySeen;
  private List<Call> calls = List.of();
  private int closed;
  private int taken;

  CallCandidate(ToolCallSyntax syntax, CallReader reader) {
    this.syntax = syntax;
    this.reader = reader;
  }

  /** Takes characters of {@code text} from {@code from} on, as long as it is not decided. */
  Result accept(CharSequence text, int from) {
    for (int i = from; i < text.length(); i++) {
      taken = i + 1;
      Result result =
          switch (stage) {
            case HEADER -> header(text.charAt(i));
            case JSON -> json(text.charAt(i));
            case CLOSING -> closing(text.charAt(i));
          };
      if (result != Result.MORE) {
        if (result == Result.CALLS && syntax == ToolCallSyntax.LLAMA3) {
          // The character that showed the end of this call belongs to the next.
          taken = i;
        }
        return result;
      }
    }
    return Result.MORE;
  }

  /** Where what was not taken begins. */
  int taken() {
    return taken;
  }

  /** Whether it counts as calls when nothing follows. */
  boolean isWhole() {
    return !calls.isEmpty();
  }

  List<Call> calls() {
    return calls;
  }

  private Result header(char c) {
    boolean mistral = syntax == ToolCallSyntax.MISTRAL || syntax == ToolCallSyntax.MISTRAL_NAMED;
    if (c == '{' || (c == '[' && mistral && header.toString().isBlank())) {
      Matcher named = NAMED.matcher(header);
      if (named.matches()) {
        name = named.group(1);
      }
      boolean fits = name.isEmpty() ? header.toString().isBlank() : reader.knows(name);
      stage = Stage.JSON;
      return fits ? json(c) : Result.TEXT;
    }
    header.append(c);
    boolean more = mistral ? header.length() <= MAX_HEADER : Character.isWhitespace(c);
    return more ? Result.MORE : Result.TEXT;
  }

  private Result json(char c) {
    json.append(c);
    JsonScanner.Result result = scanner.accept(c);
    if (result == JsonScanner.Result.INVALID) {
      return Result.TEXT;
    }
    if (c == ':' && !keySeen && name.isEmpty()) {
      keySeen = true;
      String start = json.substring(json.indexOf("{") + 1, json.length() - 1).strip();
      if (!FIRST_KEYS.contains(start)) {
        return Result.TEXT;
      }
    }
    if (result == JsonScanner.Result.MORE) {
      return Result.MORE;
    }
    String text = json.toString();
    if (name.isEmpty()) {
      calls = reader.calls(text);
    } else if (reader.isObject(text)) {
      calls = List.of(new Call(name, text));
    }
    stage = Stage.CLOSING;
    if (calls.isEmpty()) {
      return Result.TEXT;
    }
    return switch (syntax) {
      case HERMES, LLAMA3 -> Result.MORE;
      case MISTRAL, MISTRAL_NAMED -> Result.CALLS;
    };
  }

  private Result closing(char c) {
    if (closed == 0 && Character.isWhitespace(c)) {
      return Result.MORE;
    }
    if (syntax == ToolCallSyntax.LLAMA3) {
      return c == ';' || c == '{' ? Result.CALLS : Result.TEXT;
    }
    if (c != HERMES_END.charAt(closed)) {
      return Result.TEXT;
    }
    closed++;
    return closed == HERMES_END.length() ? Result.CALLS : Result.MORE;
  }
}
