package dev.cloister.coordinator.routing.choice;

import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * All that is known of the nodes with one model: the work they were given, counted when it is sent,
 * since a decision must know of the request a millisecond ago; and how fast they were seen to be.
 * What a node says of itself is nowhere believed: times are those of whoever keeps the ledger, and
 * tokens are counted by the text that came.
 *
 * <p>Times are nanoseconds on any clock that does not jump. Not thread-safe.
 */
public final class ModelLedger {
  /** After so long, a node's speed is an assumption again. */
  private static final long LONGEST_MEMORY_NANOS = 600_000_000_000L;

  /** After so long, nodes of a kind that did nothing are tried anew. */
  private static final long LONGEST_MEMORY_OF_KIND_NANOS = 3_600_000_000_000L;

  /**
   * While it is tried how fast nodes of a kind are, others of them, and further requests, count as
   * so many times slower than the fastest of all: one request is worth the risk, a herd is not.
   */
  private static final double TRIED_SLOWER = 10;

  /** Shorter prompts are mostly what the chat template adds. */
  private static final int LEAST_CHARACTERS = 200;

  private final Router router = new Router();
  private final Map<String, Standing> standings = new HashMap<>();
  private final Map<String, Kind> kinds = new HashMap<>();
  private @Nullable Speed bestOfAll;
  private final TypicalRatio tokensPerCharacter = new TypicalRatio(0.3, 0.02, 4);
  private final TypicalRatio tokensPerByte = new TypicalRatio(0.3, 0.02, 1);
  private int withAllFeatures;
  private int loaded;
  private long latestBegun = Long.MIN_VALUE;

  /** What a prompt of so many characters is expected to take. */
  public Ask ask(int characters, int answerTokens) {
    return new Ask((int) Math.ceil(characters * tokensPerCharacter.value()), answerTokens);
  }

  /**
   * Chooses a node, as {@link Router#choose} does. Where all nodes are ejected for their failures,
   * the one whose pause ends first is let back now: a node that may fail is better than none.
   */
  public Decision choose(
      Ask ask, Map<String, Integer> cachedTokens, Predicate<Candidate> allowed, long nanos) {
    Decision decision = router.choose(ask, cachedTokens, allowed);
    if (!decision.isOfEjectedOnly()) {
      return decision;
    }
    decision.predictions().stream()
        .filter(prediction -> prediction.candidate().host().isLoaded())
        .map(prediction -> standing(prediction.candidate().nodeId()))
        .min(Comparator.comparingLong(Standing::letBackNanos))
        .ifPresent(
            least -> {
              least.letBack(nanos);
              show(least);
            });
    return router.choose(ask, cachedTokens, allowed);
  }

  /** Whether the engine of some candidate has tools, formats and probabilities. */
  public boolean hasAllFeaturesSomewhere() {
    return withAllFeatures > 0;
  }

  /** Whether some candidate has the model. */
  public boolean isLoadedSomewhere() {
    return loaded > 0;
  }

  /** Whether no candidate has the model any more, though one was given a request since then. */
  public boolean isLostSince(long nanos) {
    return loaded == 0 && latestBegun > nanos;
  }

  /** Takes a node that may answer from now on, or what is new of it. */
  public void put(Host host) {
    Standing standing = standing(host.nodeId());
    if (host.isLoaded()) {
      standing.notLoading();
    }
    standing.kind(kinds.computeIfAbsent(host.kind(), name -> new Kind()));
    replace(standing, host);
    show(standing);
  }

  /** Takes a node out; what was seen there is remembered. */
  public void remove(String nodeId) {
    Standing standing = standings.get(nodeId);
    if (standing != null) {
      standing.notLoading();
      replace(standing, null);
      router.remove(nodeId);
    }
  }

  private void replace(Standing standing, @Nullable Host host) {
    Host before = standing.host();
    withAllFeatures -= before != null && before.allFeatures() ? 1 : 0;
    withAllFeatures += host != null && host.allFeatures() ? 1 : 0;
    loaded -= before != null && before.isLoaded() ? 1 : 0;
    loaded += host != null && host.isLoaded() ? 1 : 0;
    standing.host(host);
  }

  /** Notes that a node has begun to load the model. */
  public void loading(String nodeId) {
    standing(nodeId).loading();
  }

  /** Takes how long a message to a node and its answer take. */
  public void roundTrip(String nodeId, double seconds) {
    Standing standing = standing(nodeId);
    standing.roundTrip(seconds);
    show(standing);
  }

  /**
   * Takes how many requests a node is at for other models: they slow this one as its own would.
   * What it is at for this one: {@link #busy}.
   */
  public void others(String nodeId, int requests, long nanos) {
    Standing standing = standing(nodeId);
    standing.others(requests, nanos);
    show(standing);
  }

  /** Requests that a node is at. */
  public int busy(String nodeId) {
    Standing standing = standings.get(nodeId);
    return standing == null ? 0 : standing.busy();
  }

  /**
   * Counts a request that is sent to a node.
   *
   * @param chosen of a decision about it
   * @param characters of its prompt
   */
  public Work began(Prediction chosen, int characters, long nanos) {
    Standing standing = standing(chosen.candidate().nodeId());
    Work work = new Work(standing, chosen, characters, nanos);
    show(standing);
    latestBegun = nanos;
    return work;
  }

  /**
   * Notes that a request has its slot.
   *
   * @param promptTokens of its prompt, as the node says, {@code cachedTokens} of them cached
   */
  public void started(Work work, int promptTokens, int cachedTokens, long nanos) {
    if (work.characters >= LEAST_CHARACTERS) {
      tokensPerCharacter.add(promptTokens / (double) work.characters);
    }
    work.started(promptTokens, cachedTokens, nanos);
    show(work.standing);
  }

  /**
   * Notes a piece of an answer.
   *
   * @param tokens that made it, as the node says; at least 1
   * @param bytes of its text
   */
  public void made(Work work, int tokens, int bytes, long nanos) {
    if (work.made(tokens, bytes, tokensPerByte.value(), nanos)) {
      seen(work.standing.kind());
    }
    show(work.standing);
  }

  /** Notes that a request is over, however it ended. More than once does nothing. */
  public void ended(Work work, long nanos) {
    work.ended(tokensPerByte.value(), nanos);
    work.tokensPerByte().ifPresent(tokensPerByte::add);
    seen(work.standing.kind());
    show(work.standing);
  }

  /** Notes that a node answered a request. */
  public void succeeded(Work work, long nanos) {
    work.standing.succeeded(nanos);
    show(work.standing);
  }

  /**
   * Notes that an engine, and not the request, made a request fail.
   *
   * @param died whether the engine is gone, with all that it was at; these are one failure
   * @return whether the failure is a new one
   */
  public boolean failed(Work work, boolean died, long nanos) {
    boolean isNew = work.standing.failed(work.begunNanos, died, nanos);
    show(work.standing);
    return isNew;
  }

  /** Whether the node that was given a request is left out now because it failed. */
  public boolean isEjected(Work work) {
    return work.standing.isEjected();
  }

  private void seen(Kind kind) {
    if (kind.isKnown()) {
      Speed speed = kind.speed(fastest());
      bestOfAll = bestOfAll == null ? speed : bestOfAll.best(speed);
    }
  }

  private Speed fastest() {
    return bestOfAll == null ? Speed.ASSUMED : bestOfAll;
  }

  /**
   * Forgets speeds seen long ago, and looks anew how fast nodes are that were not seen yet, and
   * which ones are let back after failures. To be called several times a second.
   */
  public void refresh(long nanos) {
    if (kinds.size() > standings.size()) {
      kinds
          .values()
          .retainAll(standings.values().stream().map(Standing::kind).collect(Collectors.toSet()));
    }
    bestOfAll = null;
    for (Kind kind : kinds.values()) {
      kind.forget(nanos - LONGEST_MEMORY_OF_KIND_NANOS);
      seen(kind);
    }
    for (Standing standing : standings.values()) {
      standing.forget(nanos - LONGEST_MEMORY_NANOS);
      standing.look(nanos);
    }
    standings.values().forEach(this::show);
  }

  private void show(Standing standing) {
    Kind kind = standing.kind();
    if (kind.hasChanged()) {
      standings.values().stream().filter(each -> each.kind() == kind).forEach(this::tell);
    } else {
      tell(standing);
    }
  }

  private void tell(Standing standing) {
    Host host = standing.host();
    if (host != null) {
      router.put(standing.candidate(host, assumed(standing.kind())));
    }
  }

  /**
   * A node not measured yet counts as fast as others of its kind, and if nothing is known of these,
   * as fast as the fastest kind of all, so that it is tried soon.
   */
  private Speed assumed(Kind kind) {
    return kind.speed(fastest().assumed(kind.isTried() ? TRIED_SLOWER : 1)).assumed(1);
  }

  private Standing standing(String nodeId) {
    return standings.computeIfAbsent(nodeId, id -> new Standing());
  }

  /** Requests that a node has now, whether it may be given more or not. */
  public int active(String nodeId) {
    Standing standing = standings.get(nodeId);
    return standing == null ? 0 : standing.active();
  }

  /** What is known of a node; empty if it is no candidate. */
  public Optional<Candidate> candidate(String nodeId) {
    Standing standing = standings.get(nodeId);
    Host host = standing == null ? null : standing.host();
    return host == null || standing == null
        ? Optional.empty()
        : Optional.of(standing.candidate(host, assumed(standing.kind())));
  }
}
