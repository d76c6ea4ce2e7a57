package dev.cloister.coordinator.routing;

import java.util.OptionalDouble;

/**
 * A node that has the model loaded.
 *
 * @param slots requests it answers at the same time
 * @param active requests it has now, waiting ones included
 * @param pendingTokens tokens it is still expected to generate for them
 * @param tokensPerSecond as measured on this node with this model; empty before the first answer
 * @param served requests it was given so far
 */
public record Candidate(
    String nodeId,
    String nodeName,
    int slots,
    int active,
    long pendingTokens,
    OptionalDouble tokensPerSecond,
    long served) {}
