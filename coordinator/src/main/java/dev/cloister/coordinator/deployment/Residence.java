package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.residence.Why;
import java.time.Instant;
import java.util.Optional;

/**
 * Why a whole model is on a node, and for how long.
 *
 * @param active requests that it is answering
 * @param lastUsed when a request last began or ended there
 * @param until when it is unloaded unless it is used again
 * @param leaving whether it gets nothing new, to make room for another
 */
public record Residence(
    Why why, int active, Optional<Instant> lastUsed, Optional<Instant> until, boolean leaving) {}
