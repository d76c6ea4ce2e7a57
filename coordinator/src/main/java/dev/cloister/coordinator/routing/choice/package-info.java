/**
 * The choice of a node for a request: pure, so that a simulation runs the very code that serves. No
 * clock, thread or I/O is here; times come in as numbers.
 *
 * <p>Start with {@link dev.cloister.coordinator.routing.choice.ModelLedger}, which keeps what is
 * known of all nodes that have one model: the work they were given and the speeds that were seen.
 * It hands {@link dev.cloister.coordinator.routing.choice.Candidate}s to a {@link
 * dev.cloister.coordinator.routing.choice.Router}, whose {@link
 * dev.cloister.coordinator.routing.choice.Decision} tells each {@link
 * dev.cloister.coordinator.routing.choice.Prediction} with its terms.
 */
package dev.cloister.coordinator.routing.choice;
