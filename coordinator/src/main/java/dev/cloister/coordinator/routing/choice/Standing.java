package dev.cloister.coordinator.routing.choice;

import dev.cloister.coordinator.routing.admission.AdaptiveLimit;
import dev.cloister.coordinator.routing.admission.Ejection;
import org.jspecify.annotations.Nullable;

/** What is known of one node with one model. Belongs to its ledger. */
final class Standing {
  /** Requests that may wait on a node, per slot, as long as it does what was predicted. */
  private static final int QUEUED_PER_SLOT = 4;

  private final SpeedMeter meter = SpeedMeter.ofNode();

  /** Before its machine is known, one of its own. */
  private Kind kind = new Kind();

  private long measuredNanos;
  private double roundTripSeconds;

  /** Null while the node does not have the model and is to get none of its requests. */
  private @Nullable Host host;

  private int active;
  private long pendingTokens;
  private long pendingPromptTokens;
  private long served;

  /** Requests that the node is at for other models. */
  private int others;

  private int generating;
  private double generatingSeconds;
  private long generatingNanos;
  private long promptNanos;

  /** Whether no part of an answer was seen since the model was loaded. */
  private boolean cold = true;

  private int slots = 1;
  private AdaptiveLimit limit = new AdaptiveLimit(1, 1 + QUEUED_PER_SLOT, 1 + QUEUED_PER_SLOT);

  private final Ejection ejection = new Ejection();

  /** Requests at once, as far as failures go. */
  private int most = Integer.MAX_VALUE;

  private long diedNanos = Long.MIN_VALUE;

  private boolean loading;

  Kind kind() {
    return kind;
  }

  void kind(Kind newKind) {
    kind = newKind;
  }

  @Nullable Host host() {
    return host;
  }

  void host(@Nullable Host newHost) {
    if (newHost != null && newHost.slots() != slots) {
      slots = newHost.slots();
      int queue = (int) Math.min(Integer.MAX_VALUE, slots * (1L + QUEUED_PER_SLOT));
      limit = new AdaptiveLimit(slots, queue, queue);
      // What is usual is what is predicted.
      limit.add(1, 0);
    }
    host = newHost;
  }

  void roundTrip(double seconds) {
    roundTripSeconds = seconds;
  }

  void loading() {
    if (!loading) {
      loading = true;
      cold = true;
    }
  }

  void notLoading() {
    loading = false;
  }

  void began(int tokens, int promptTokens) {
    active++;
    served++;
    pending(tokens, promptTokens);
  }

  int active() {
    return active;
  }

  void pending(int tokens, int promptTokens) {
    pendingTokens += tokens;
    pendingPromptTokens += promptTokens;
  }

  void ended(int tokens, int promptTokens) {
    active--;
    pending(-tokens, -promptTokens);
  }

  void generating(int more, long nanos) {
    generatingSeconds = generatingSeconds(nanos);
    generatingNanos = nanos;
    generating += more;
  }

  /** Takes how many requests the node is at for other models. */
  void others(int count, long nanos) {
    generating(0, nanos);
    others = count;
  }

  /** Requests that have a slot. */
  int busy() {
    return Math.min(active, slots);
  }

  /** Seconds of generating, all answers of the node together, up to a time. */
  double generatingSeconds(long nanos) {
    return generatingSeconds + (generating + others) * Math.max(0, nanos - generatingNanos) * 1e-9;
  }

  /** Prompts are computed side by side: the time since the last one counts for the next. */
  void prompt(double uncachedTokens, long startedNanos, long nanos) {
    long begin = Math.max(startedNanos, promptNanos);
    promptNanos = nanos;
    double seconds = (nanos - begin) * 1e-9;
    meter.prompt(uncachedTokens, seconds);
    kind.prompt(uncachedTokens, seconds);
  }

  void tokens(double count, double seconds, double answers, long nanos) {
    meter.tokens(count, seconds, answers);
    kind.tokens(count, seconds, answers, nanos);
    measuredNanos = nanos;
  }

  /**
   * Whether its engine has yet to warm up. What begins meanwhile takes several times what it takes
   * from then on, and says nothing about the node's speed.
   */
  boolean isCold() {
    return cold;
  }

  void warm() {
    cold = false;
  }

  void succeeded(long nanos) {
    ejection.succeeded(nanos);
    look(nanos);
  }

  /**
   * Notes that its engine failed on a request.
   *
   * @param died with all that it was at, which is one failure; otherwise it goes on
   * @return whether the failure is a new one
   */
  boolean failed(long begunNanos, boolean died, long nanos) {
    if (died && begunNanos <= diedNanos) {
      return false;
    }
    if (died) {
      diedNanos = nanos;
    }
    ejection.failed(nanos);
    look(nanos);
    return true;
  }

  /** Takes note that pauses end. */
  void look(long nanos) {
    most = ejection.most(nanos);
  }

  void letBack(long nanos) {
    ejection.letBack(nanos);
    look(nanos);
  }

  /** When it was, or will be, let back after failures. */
  long letBackNanos() {
    return ejection.untilNanos();
  }

  boolean isEjected() {
    return most == 0;
  }

  /**
   * Takes when a request had its first token.
   *
   * @param ratio of the time it took to the one that was predicted
   * @param requests the node had when it was sent, this one included
   */
  void firstToken(double ratio, int requests) {
    // To be sooner than predicted is no merit: a prediction may be wrong, and the next ones right.
    limit.add(Math.max(1, ratio), requests);
  }

  /** Forgets speeds that were seen too long ago. */
  void forget(long beforeNanos) {
    if (meter.measured() && measuredNanos < beforeNanos) {
      meter.clear();
    }
  }

  Candidate candidate(Host of, Speed assumed) {
    return new Candidate(
        of,
        meter.speed(assumed).beside(others),
        roundTripSeconds,
        active,
        pendingTokens,
        pendingPromptTokens,
        served,
        Math.min(most, limit.limit()));
  }
}
