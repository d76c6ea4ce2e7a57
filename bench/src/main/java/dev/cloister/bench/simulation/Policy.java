package dev.cloister.bench.simulation;

import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * Decides where requests go. It is told what a coordinator is told, when it happens; nodes are
 * numbered from 0 on. What a policy does not care for, it need not take.
 */
public interface Policy {

  /**
   * Chooses a node for a request and counts it there.
   *
   * @param othersWait whether others had to wait before it, and do still
   * @return empty if it has to wait until some answer is complete
   */
  OptionalInt place(Request request, boolean othersWait, long nanos);

  /**
   * Takes a node, or what is new of it.
   *
   * @param loadSeconds until the model would be loaded there; empty if it is
   */
  void node(int node, NodeKind kind, OptionalDouble loadSeconds, long nanos);

  /** Tokens that a request is expected to be served, its prompt's and its answer's. */
  default int expectedTokens(Request request) {
    return request.prompt().tokens();
  }

  /** The node that is to load the model since a request was placed last, if one is. */
  default OptionalInt toLoad() {
    return OptionalInt.empty();
  }

  /** Notes that a node has begun to load the model. */
  default void loading(int node, long nanos) {}

  /** Notes that a request has its slot. */
  default void started(Request request, int cachedTokens, long nanos) {}

  /** Notes a token of an answer. */
  default void made(Request request, long nanos) {}

  /** Notes that an answer is complete. */
  default void ended(Request request, int node, long nanos) {}

  /**
   * Takes which beginnings of prompts a node holds since now, with their tokens, and which it holds
   * no more.
   */
  default void told(int node, List<Long> held, List<Integer> tokens, List<Long> dropped) {}

  /** Comes once a second. */
  default void tick(long nanos) {}
}
