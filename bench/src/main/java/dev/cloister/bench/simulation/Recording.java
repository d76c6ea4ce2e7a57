package dev.cloister.bench.simulation;

import dev.cloister.bench.simulation.Prompt.Segment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Requests as they were recorded, in a file of lines with commas (no quotes):
 *
 * <pre>{@code
 * seconds,caller,prompt_tokens,prefix,answer_tokens
 * 0.00,alice,2100,handbook:2000,150
 * 3.25,alice,2400,handbook:2000/chat-7:250,80
 * }</pre>
 *
 * <p>A prefix names what a prompt has in common with others: segments one after the other, each
 * with its tokens, of which two prompts share as many as both have. It may be empty. The rest of
 * the prompt is its own.
 */
public final class Recording {
  private static final String HEADER = "seconds,caller,prompt_tokens,prefix,answer_tokens";

  private static final double MOST_SECONDS = 1e9;

  private final Map<String, Long> names = new HashMap<>();
  private final List<Request> requests = new ArrayList<>();

  private Recording() {}

  /**
   * Reads a file.
   *
   * @throws IOException if it cannot be read, or a line is not as it should be
   */
  public static List<Request> read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException(file + ": there is no such file");
    }
    return parse(Files.readAllLines(file), file.toString());
  }

  static List<Request> parse(List<String> lines, String source) throws IOException {
    Recording recording = new Recording();
    if (lines.isEmpty() || !lines.getFirst().equals(HEADER)) {
      throw new IOException(source + ": the first line is not '" + HEADER + "'");
    }
    for (int i = 1; i < lines.size(); i++) {
      try {
        recording.add(lines.get(i));
      } catch (IllegalArgumentException e) {
        throw new IOException("%s, line %d: %s".formatted(source, i + 1, e.getMessage()), e);
      }
    }
    if (recording.requests.isEmpty()) {
      throw new IOException(source + ": no requests (expected: a line for each)");
    }
    return List.copyOf(recording.requests);
  }

  private void add(String line) {
    String[] fields = line.split(",", -1);
    if (fields.length != 5) {
      throw new IllegalArgumentException(fields.length + " fields (expected: " + HEADER + ")");
    }
    int id = requests.size();
    requests.add(
        new Request(
            id,
            Request.NONE,
            nanos(fields[0]),
            fields[1],
            prompt(id, count(fields[2]), fields[3]),
            count(fields[4])));
  }

  private Prompt prompt(int id, int tokens, String prefix) {
    List<Segment> segments = new ArrayList<>();
    int left = tokens;
    for (String part : prefix.isEmpty() ? new String[0] : prefix.split("/", -1)) {
      int colon = part.lastIndexOf(':');
      if (colon < 0) {
        throw new IllegalArgumentException("the prefix '" + part + "' is not NAME:TOKENS");
      }
      int shared = count(part.substring(colon + 1));
      segments.add(new Segment(name(part.substring(0, colon)), shared));
      left -= shared;
    }
    if (left < 0 || tokens < 1) {
      throw new IllegalArgumentException(
          "a prompt of %d tokens with %d in its prefix (expected: at least 1, and as many)"
              .formatted(tokens, tokens - left));
    }
    if (left > 0) {
      // Below all names of prefixes.
      segments.add(new Segment(-1L - id, left));
    }
    return new Prompt(segments);
  }

  private static long nanos(String field) {
    double seconds = number(field, Double::parseDouble, "seconds");
    // Written so that NaN fails as well.
    if (!(seconds >= 0 && seconds <= MOST_SECONDS)) {
      throw new IllegalArgumentException(
          "'%s' seconds (expected: 0 to %.0f)".formatted(field, MOST_SECONDS));
    }
    return Math.round(seconds * 1e9);
  }

  private static int count(String field) {
    return number(field, Integer::parseInt, "a whole number");
  }

  private static <N> N number(String field, Function<String, N> parse, String expected) {
    try {
      return parse.apply(field);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + field + "' is not " + expected, e);
    }
  }

  private long name(String name) {
    return names.computeIfAbsent(name, unknown -> (long) names.size());
  }
}
