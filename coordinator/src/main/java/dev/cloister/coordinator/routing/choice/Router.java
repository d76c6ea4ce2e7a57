package dev.cloister.coordinator.routing.choice;

import dev.cloister.coordinator.routing.choice.Ask.Wait;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Chooses, among the nodes that have a model, the one that is predicted to have a request answered
 * soonest. Equal predictions go to the node that served less.
 *
 * <p>A prediction is a line in what is asked: what a candidate takes in any case, for each token of
 * the prompt, and for each of the answer. These three are computed when a candidate changes and
 * kept side by side, so that a decision reads through a few arrays. Not thread-safe.
 */
public final class Router {
  /** How many candidates a decision tells in full. */
  static final int MOST_TOLD = 32;

  /** Ranks full ones behind all others. */
  private static final double FULL_SECONDS = 1e9;

  /** Ranks ejected ones behind these. */
  private static final double EJECTED_SECONDS = 2e9;

  private final Map<String, Integer> places = new HashMap<>();
  private @Nullable Candidate[] candidates = new Candidate[8];
  private double[] waitSeconds = new double[8];
  private double[] fixedSeconds = new double[8];
  private double[] promptTokenSeconds = new double[8];
  private double[] answerTokenSeconds = new double[8];
  private double[] cached = new double[8];
  private int size;

  private final int[] best = new int[MOST_TOLD + 1];
  private final double[] bestSeconds = new double[MOST_TOLD + 1];

  /** Adds a candidate, in place of what was known of its node. */
  public void put(Candidate candidate) {
    Integer known = places.get(candidate.nodeId());
    int place = known == null ? size : known;
    if (known == null) {
      places.put(candidate.nodeId(), place);
      size++;
      if (size > candidates.length) {
        grow(2 * candidates.length);
      }
    }
    Speed speed = candidate.speed();
    candidates[place] = candidate;
    waitSeconds[place] = candidate.full() ? 0 : candidate.seenWaitSeconds();
    fixedSeconds[place] =
        candidate.waitSeconds()
            + candidate.host().loadSeconds().orElse(0)
            + speed.startSeconds()
            + candidate.roundTripSeconds()
            + (candidate.ejected() ? EJECTED_SECONDS : candidate.full() ? FULL_SECONDS : 0);
    promptTokenSeconds[place] = speed.promptTokenSeconds();
    answerTokenSeconds[place] = speed.tokenSeconds(candidate.answers());
  }

  private void grow(int length) {
    candidates = Arrays.copyOf(candidates, length);
    waitSeconds = Arrays.copyOf(waitSeconds, length);
    fixedSeconds = Arrays.copyOf(fixedSeconds, length);
    promptTokenSeconds = Arrays.copyOf(promptTokenSeconds, length);
    answerTokenSeconds = Arrays.copyOf(answerTokenSeconds, length);
    cached = Arrays.copyOf(cached, length);
  }

  /** Removes a node; does nothing if it is none of the candidates. */
  public void remove(String nodeId) {
    Integer place = places.remove(nodeId);
    if (place == null) {
      return;
    }
    size--;
    Candidate last = at(size);
    candidates[size] = null;
    if (place < size) {
      places.remove(last.nodeId());
      int end = size;
      candidates[place] = last;
      waitSeconds[place] = waitSeconds[end];
      fixedSeconds[place] = fixedSeconds[end];
      promptTokenSeconds[place] = promptTokenSeconds[end];
      answerTokenSeconds[place] = answerTokenSeconds[end];
      places.put(last.nodeId(), place);
    }
  }

  /**
   * Chooses.
   *
   * @param cachedTokens of the prompt, by the nodes that hold a beginning of it
   * @param allowed removes candidates first; asked only of those that could be told of
   */
  public Decision choose(Ask ask, Map<String, Integer> cachedTokens, Predicate<Candidate> allowed) {
    cachedTokens.forEach(
        (nodeId, tokens) -> setCached(nodeId, Math.min(tokens, ask.promptTokens())));
    double mostWait =
        ask.waits() == Wait.BRIEFLY ? Prediction.BRIEF_SECONDS : Double.POSITIVE_INFINITY;
    int told = 0;
    double worst = Double.POSITIVE_INFINITY;
    double soonestFull = Double.POSITIVE_INFINITY;
    for (int place = 0; place < size; place++) {
      double seconds =
          fixedSeconds[place]
              + (ask.promptTokens() - cached[place]) * promptTokenSeconds[place]
              + ask.answerTokens() * answerTokenSeconds[place];
      if (waitSeconds[place] > mostWait) {
        seconds += FULL_SECONDS;
      } else if (seconds >= FULL_SECONDS && seconds < soonestFull && isBusy(place, allowed)) {
        soonestFull = seconds;
      }
      if (seconds <= worst && isBetter(place, seconds, told) && allowed.test(at(place))) {
        told = insert(place, seconds, told);
        worst = told < MOST_TOLD ? worst : bestSeconds[told - 1];
      }
    }
    List<Prediction> predictions = new ArrayList<>(told);
    for (int rank = 0; rank < told; rank++) {
      predictions.add(new Prediction(at(best[rank]), ask, (int) cached[best[rank]]));
    }
    cachedTokens.keySet().forEach(nodeId -> setCached(nodeId, 0));
    return new Decision(predictions, size, soonestFull - FULL_SECONDS);
  }

  /** Whether one that is full is so by its work, and not because it is tried again slowly. */
  private boolean isBusy(int place, Predicate<Candidate> allowed) {
    Candidate candidate = at(place);
    return candidate.limit() >= candidate.host().slots() && allowed.test(candidate);
  }

  private void setCached(String nodeId, int tokens) {
    Integer place = places.get(nodeId);
    if (place != null) {
      cached[place] = tokens;
    }
  }

  /** Whether a candidate stands before the last of so many best ones, or there is room for it. */
  private boolean isBetter(int place, double seconds, int told) {
    return told < MOST_TOLD || stands(place, seconds, told - 1);
  }

  /** Whether a candidate comes before the one of that rank. */
  private boolean stands(int place, double seconds, int rank) {
    return seconds != bestSeconds[rank]
        ? seconds < bestSeconds[rank]
        : at(place).served() < at(best[rank]).served();
  }

  /** Returns how many best ones there are then. */
  private int insert(int place, double seconds, int told) {
    int rank = told;
    while (rank > 0 && stands(place, seconds, rank - 1)) {
      best[rank] = best[rank - 1];
      bestSeconds[rank] = bestSeconds[rank - 1];
      rank--;
    }
    best[rank] = place;
    bestSeconds[rank] = seconds;
    return Math.min(told + 1, MOST_TOLD);
  }

  private Candidate at(int place) {
    Candidate candidate = candidates[place];
    if (candidate == null) {
      throw new IllegalStateException("no candidate at place " + place);
    }
    return candidate;
  }
}
