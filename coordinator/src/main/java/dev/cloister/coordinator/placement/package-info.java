/**
 * Which models belong on which nodes. Pure: no clock, no I/O, no threads, so that every decision
 * can be replayed and tested.
 *
 * <p>Start with {@link dev.cloister.coordinator.placement.Placement}.
 */
package dev.cloister.coordinator.placement;
