/**
 * How nodes reach each other and the coordinator, as they measured it.
 *
 * <p>{@link dev.cloister.coordinator.links.Survey} has nodes measure, one way after the other,
 * where that may matter for a model that is split; {@link dev.cloister.coordinator.links.Links}
 * keeps what they found for those who plan.
 */
package dev.cloister.coordinator.links;
