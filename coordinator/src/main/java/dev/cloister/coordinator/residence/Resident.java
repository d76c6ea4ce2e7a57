package dev.cloister.coordinator.residence;

import dev.cloister.coordinator.placement.StageMemory;
import java.time.Instant;

/**
 * A whole model on a node, at one moment, as far as giving its place to another one goes.
 *
 * @param active requests that it is answering
 * @param usedAt when it was last asked for, or came
 * @param protectedUntil before it may not be unloaded: it was loaded for requests that it has to
 *     answer first
 * @param reloadSeconds until it would be loaded again
 */
public record Resident(
    String model,
    StageMemory memory,
    boolean pinned,
    int active,
    Instant usedAt,
    Instant protectedUntil,
    double reloadSeconds) {}
