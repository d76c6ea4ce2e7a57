package dev.cloister.coordinator.routing.choice;

import java.util.OptionalDouble;

/** One request on one node, for the ledger that counts it. Belongs to that ledger. */
public final class Work {
  final Standing standing;
  private final Kind kind;
  final Ask ask;
  private final String nodeId;
  final int characters;
  final long begunNanos;

  /** Until the first token, as predicted; 0 where that rests on nothing that was seen. */
  private final double predictedSeconds;

  private final int requests;
  private int pendingTokens;
  private int pendingPromptTokens;
  private long startedNanos;
  private double uncachedTokens;
  private boolean started;
  private boolean startedCold;
  private boolean generating;
  private boolean over;

  // Of the part of the answer that is to be measured next.
  private long partNanos;
  private double partAnswers;
  private int partTokens;
  private int partBytes;
  private boolean partBeganCold;

  private int allTokens;
  private int allBytes;

  /** Parts of an answer that are measured: shorter ones say more about buffers than about speed. */
  private static final int PART_TOKENS = 16;

  private static final int LEAST_TOKENS = 4;

  Work(Standing standing, Prediction chosen, int characters, long nanos) {
    this.standing = standing;
    this.kind = standing.kind();
    this.ask = chosen.ask();
    this.nodeId = chosen.candidate().nodeId();
    this.characters = characters;
    this.begunNanos = nanos;
    this.pendingTokens = ask.answerTokens();
    this.pendingPromptTokens = chosen.uncachedTokens();
    this.predictedSeconds = chosen.candidate().speed().measured() ? chosen.firstTokenSeconds() : 0;
    kind.began();
    standing.began(pendingTokens, pendingPromptTokens);
    this.requests = standing.active();
  }

  /** The node that was given it. */
  public String nodeId() {
    return nodeId;
  }

  /** What a node says of the prompt is taken as a share of what it was estimated to be. */
  void started(int promptTokens, int cachedTokens, long nanos) {
    double cachedShare =
        promptTokens <= 0 ? 0 : Math.clamp(cachedTokens / (double) promptTokens, 0, 1);
    started = true;
    startedCold = standing.isCold();
    startedNanos = nanos;
    uncachedTokens = Math.max(1, ask.promptTokens() * (1 - cachedShare));
    standing.pending(0, (int) uncachedTokens - pendingPromptTokens);
    pendingPromptTokens = (int) uncachedTokens;
  }

  /** Takes tokens that came; whether a speed was measured. */
  boolean made(int tokens, int bytes, double tokensPerByte, long nanos) {
    if (over) {
      return false;
    }
    allTokens += tokens;
    allBytes += bytes;
    int expected = Math.min(tokens, Math.max(0, pendingTokens - 1));
    pendingTokens -= expected;
    standing.pending(-expected, 0);
    if (!generating) {
      generating = true;
      standing.pending(0, -pendingPromptTokens);
      pendingPromptTokens = 0;
      if (started) {
        if (!startedCold) {
          standing.prompt(uncachedTokens, startedNanos, nanos);
        }
        firstToken((nanos - begunNanos) * 1e-9);
      }
      standing.generating(1, nanos);
      beginPart(nanos);
      return started;
    }
    partTokens += tokens;
    partBytes += bytes;
    return partTokens >= PART_TOKENS && measure(tokensPerByte, nanos);
  }

  private void firstToken(double seconds) {
    if (predictedSeconds > 0 && seconds > 0) {
      standing.firstToken(seconds / predictedSeconds, requests);
    }
  }

  private boolean measure(double tokensPerByte, long nanos) {
    double seconds = (nanos - partNanos) * 1e-9;
    // A node that claims more tokens than such a text has is believed what others need for it.
    double tokens = Math.min(partTokens, 1 + 2 * tokensPerByte * partBytes);
    double answers = standing.generatingSeconds(nanos) - partAnswers;
    boolean measured = seconds > 0;
    if (measured && partBeganCold) {
      standing.warm();
    } else if (measured) {
      standing.tokens(tokens, seconds, answers / seconds, nanos);
    }
    beginPart(nanos);
    return measured;
  }

  private void beginPart(long nanos) {
    partNanos = nanos;
    partBeganCold = standing.isCold();
    partAnswers = standing.generatingSeconds(nanos);
    partTokens = 0;
    partBytes = 0;
  }

  /** Of the whole answer, as its node says; empty where it is too short to tell. */
  OptionalDouble tokensPerByte() {
    return allTokens < PART_TOKENS
        ? OptionalDouble.empty()
        : OptionalDouble.of(allTokens / (double) Math.max(1, allBytes));
  }

  void ended(double tokensPerByte, long nanos) {
    if (over) {
      return;
    }
    over = true;
    if (generating) {
      if (partTokens >= LEAST_TOKENS) {
        measure(tokensPerByte, nanos);
      }
      standing.generating(-1, nanos);
    }
    kind.ended();
    standing.ended(pendingTokens, pendingPromptTokens);
  }
}
