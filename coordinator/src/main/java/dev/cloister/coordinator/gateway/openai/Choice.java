package dev.cloister.coordinator.gateway.openai;

import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.ToolCallDelta;
import dev.cloister.coordinator.inference.TokenLogprob;
import dev.cloister.coordinator.inference.prompt.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One of the answers to a request, gathered as it is made. Not thread-safe. */
final class Choice {
  private final StringBuilder text = new StringBuilder();
  private final StringBuilder reasoning = new StringBuilder();
  private final List<TokenLogprob> logprobs = new ArrayList<>();
  private final TreeMap<Integer, Call> calls = new TreeMap<>();
  private @Nullable Finished finished;

  private static final class Call {
    private final StringBuilder arguments = new StringBuilder();
    private String id = "";
    private String name = "";
  }

  void add(TextDelta piece) {
    text.append(piece.text());
    logprobs.addAll(piece.logprobs());
  }

  void addReasoning(String piece) {
    reasoning.append(piece);
  }

  void add(ToolCallDelta piece) {
    Call call = calls.computeIfAbsent(piece.index(), index -> new Call());
    if (!piece.name().isEmpty()) {
      call.id = piece.id();
      call.name = piece.name();
    }
    call.arguments.append(piece.arguments());
  }

  void finish(Finished end) {
    finished = end;
  }

  /** Forgets everything: another node begins again. */
  void clear() {
    text.setLength(0);
    reasoning.setLength(0);
    logprobs.clear();
    calls.clear();
  }

  String text() {
    return text.toString();
  }

  String reasoning() {
    return reasoning.toString();
  }

  List<TokenLogprob> logprobs() {
    return logprobs;
  }

  List<ToolCall> toolCalls() {
    return calls.values().stream()
        .map(call -> new ToolCall(call.id, call.name, call.arguments.toString()))
        .toList();
  }

  /** How it ended; to be asked only once it has. */
  Finished finished() {
    if (finished == null) {
      throw new IllegalStateException("the answer is not complete");
    }
    return finished;
  }
}
