package dev.cloister.engine.chat.parsing;

import dev.cloister.engine.chat.parsing.CallReader.Call;
import dev.cloister.engine.chat.parsing.OutputPart.Content;
import dev.cloister.engine.chat.parsing.OutputPart.Reasoning;
import dev.cloister.engine.chat.parsing.OutputPart.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Takes an answer apart while it arrives. What may be the start of markup is held back until that
 * is known; what is not markup comes out as it is. A call comes out when it is whole: one that is
 * no JSON, has no name or names an unknown tool is content. The space around markup goes with it.
 *
 * <p>However the answer is split into pieces, the parts are the same, texts that follow on each
 * other joined. Text that is not held back is not copied or looked at twice. Not thread-safe.
 */
public final class OutputParser {

  private enum State {
    /** Nothing but space so far. */
    START,
    /** Nothing but space since the reasoning began. */
    BEFORE_REASONING,
    REASONING,
    /** Nothing but space since the reasoning or a call ended. */
    AFTER_MARKUP,
    CONTENT,
    CALL,
    /** After a call in Llama 3's syntax, where another may follow. */
    BETWEEN_CALLS
  }

  /** How much space may belong to markup; more would hold an answer of nothing else back. */
  private static final int MAX_SPACE = 32;

  private final @Nullable ToolCallSyntax syntax;
  private final ReasoningSyntax reasoning;
  private final CallReader reader;
  // What is not decided, and how much of it was looked at.
  private final StringBuilder held = new StringBuilder();
  private final List<OutputPart> parts = new ArrayList<>();
  private int seen;
  private State state = State.START;
  private @Nullable CallCandidate candidate;
  private int callIndex;

  /**
   * Makes a parser for one answer.
   *
   * @param syntax how the model writes calls; empty when the request offers no tools
   * @param tools the names of the tools it offers
   */
  public OutputParser(
      Optional<ToolCallSyntax> syntax, ReasoningSyntax reasoning, Set<String> tools) {
    this.syntax = tools.isEmpty() ? null : syntax.orElse(null);
    this.reasoning = reasoning;
    this.reader = new CallReader(tools);
    if (this.syntax == null && reasoning == ReasoningSyntax.NONE) {
      state = State.CONTENT;
    }
  }

  /** Takes the next piece, of any length, and returns what is certain now, often just the piece. */
  public List<OutputPart> accept(String piece) {
    if (piece.isEmpty()) {
      return List.of();
    }
    if (held.isEmpty() && passesThrough(piece)) {
      return List.of(state == State.REASONING ? new Reasoning(piece) : new Content(piece));
    }
    held.append(piece);
    stepThrough();
    return drained();
  }

  /** What was still held back, once no more pieces follow. Ends the use of this parser. */
  public List<OutputPart> end() {
    while (candidate != null) {
      if (candidate.isWhole()) {
        addCalls(candidate);
        held.setLength(0);
      } else {
        leaveCall();
        stepThrough();
      }
    }
    if (state == State.START) {
      state = reasoning == ReasoningSyntax.OPENED ? State.REASONING : State.CONTENT;
    }
    if (state == State.REASONING || state == State.CONTENT) {
      addText(held.length());
    }
    return drained();
  }

  private void stepThrough() {
    boolean more = true;
    while (more) {
      more = step();
    }
  }

  private List<OutputPart> drained() {
    List<OutputPart> drained = List.copyOf(parts);
    parts.clear();
    return drained;
  }

  /**
   * Whether a piece is plain text to its end, without the start of a marker or space before one.
   */
  private boolean passesThrough(String piece) {
    String marker = marker();
    return (state == State.CONTENT || state == State.REASONING)
        && (marker.isEmpty()
            || (piece.indexOf(marker.charAt(0)) < 0
                && !Character.isWhitespace(piece.charAt(piece.length() - 1))));
  }

  /** What ends the text of this state; empty when nothing does. */
  private String marker() {
    if (state == State.REASONING) {
      return ReasoningSyntax.END;
    }
    return syntax == null ? "" : syntax.marker();
  }

  /** Goes on in the held text; returns whether there may be more to do. */
  private boolean step() {
    return switch (state) {
      case START -> start();
      case BEFORE_REASONING -> beforeReasoning();
      case AFTER_MARKUP -> afterMarkup();
      case REASONING, CONTENT -> text();
      case CALL -> call();
      case BETWEEN_CALLS -> betweenCalls();
    };
  }

  private boolean start() {
    skipSpace();
    if (seen == held.length()) {
      return false;
    }
    if (reasoning != ReasoningSyntax.NONE) {
      int matched = matched(ReasoningSyntax.START, seen);
      if (matched == ReasoningSyntax.START.length()) {
        drop(seen + matched);
        state = State.BEFORE_REASONING;
        return true;
      }
      if (seen + matched == held.length()) {
        return false;
      }
    }
    if (reasoning == ReasoningSyntax.OPENED) {
      state = State.BEFORE_REASONING;
    } else {
      beginContent();
    }
    return true;
  }

  private boolean beforeReasoning() {
    dropSpace();
    if (held.isEmpty()) {
      return false;
    }
    state = State.REASONING;
    return true;
  }

  private boolean afterMarkup() {
    dropSpace();
    if (held.isEmpty()) {
      return false;
    }
    beginContent();
    return true;
  }

  private void beginContent() {
    if (syntax == ToolCallSyntax.LLAMA3 && held.charAt(seen) == '{') {
      enterCall(seen);
    } else {
      state = State.CONTENT;
      seen = 0;
    }
  }

  private boolean text() {
    String marker = marker();
    if (marker.isEmpty()) {
      addText(held.length());
      return false;
    }
    while (seen < held.length()) {
      int at = held.indexOf(marker.substring(0, 1), seen);
      int matched = at < 0 ? 0 : matched(marker, at);
      if (matched == marker.length()) {
        enter(at, at + matched);
        return true;
      }
      if (at < 0 || at + matched == held.length()) {
        int end = at < 0 ? held.length() : at;
        addText(spaceBefore(end));
        // Space is not looked at again; the start of a marker is.
        seen = at < 0 ? held.length() : held.length() - matched;
        return false;
      }
      seen = at + 1;
    }
    return false;
  }

  /** A marker was found from {@code start} to {@code end}. */
  private void enter(int start, int end) {
    if (state == State.REASONING) {
      addText(spaceBefore(start));
      drop(held.indexOf(ReasoningSyntax.END) + ReasoningSyntax.END.length());
      seen = 0;
      state = State.AFTER_MARKUP;
    } else {
      int space = spaceBefore(start);
      addText(space);
      enterCall(end - space);
    }
  }

  private void enterCall(int from) {
    if (syntax != null) {
      candidate = new CallCandidate(syntax, reader);
      state = State.CALL;
      seen = from;
    }
  }

  private boolean call() {
    if (candidate == null) {
      return false;
    }
    CallCandidate.Result result = candidate.accept(held, seen);
    seen = held.length();
    switch (result) {
      case MORE -> {
        return false;
      }
      case CALLS -> {
        drop(candidate.taken());
        seen = 0;
        addCalls(candidate);
        state = syntax == ToolCallSyntax.LLAMA3 ? State.BETWEEN_CALLS : State.AFTER_MARKUP;
      }
      case TEXT -> leaveCall();
    }
    return true;
  }

  /** What began like a call is text up to and with its first character that is no space. */
  private void leaveCall() {
    candidate = null;
    state = State.CONTENT;
    seen = 0;
    skipSpace();
    addText(seen + 1);
  }

  private boolean betweenCalls() {
    skipSpace();
    if (seen < held.length() && held.charAt(seen) == ';') {
      seen++;
      skipSpace();
    }
    if (seen == held.length()) {
      return false;
    }
    beginContent();
    return true;
  }

  private void addCalls(CallCandidate whole) {
    for (Call call : whole.calls()) {
      parts.add(new ToolCall(callIndex++, call.name(), call.arguments()));
    }
    candidate = null;
  }

  /** Lets the first characters of what is held out as text. */
  private void addText(int length) {
    if (length > 0) {
      String text = held.substring(0, length);
      parts.add(state == State.REASONING ? new Reasoning(text) : new Content(text));
      drop(length);
    }
  }

  private void drop(int length) {
    held.delete(0, length);
    seen = Math.max(0, seen - length);
  }

  private void dropSpace() {
    skipSpace();
    drop(seen);
  }

  private void skipSpace() {
    while (seen < held.length() && Character.isWhitespace(held.charAt(seen))) {
      seen++;
    }
  }

  /** Where the space before a place begins. */
  private int spaceBefore(int end) {
    int start = end;
    while (start > 0 && end - start < MAX_SPACE && Character.isWhitespace(held.charAt(start - 1))) {
      start--;
    }
    return start;
  }

  /** How many characters of the marker stand at a place. */
  private int matched(String marker, int at) {
    int matched = 0;
    while (matched < marker.length()
        && at + matched < held.length()
        && held.charAt(at + matched) == marker.charAt(matched)) {
      matched++;
    }
    return matched;
  }
}
