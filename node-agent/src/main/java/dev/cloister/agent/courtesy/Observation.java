package dev.cloister.agent.courtesy;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What is going on at a machine.
 *
 * @param foreignCpu how much of all cores others use, 0 to 1; empty if that is unknown
 * @param foreignGpu the same of the busiest GPU
 * @param userIdle since when nobody touched the machine; empty if nobody is logged in there, or
 *     nobody can tell
 */
public record Observation(
    boolean onBattery,
    OptionalDouble foreignCpu,
    OptionalDouble foreignGpu,
    Optional<Duration> userIdle) {}
