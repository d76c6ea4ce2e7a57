/**
 * Which node answers a request, and the request's way until it is answered.
 *
 * <p>The choice is pure: {@link dev.cloister.coordinator.routing.Router} turns candidates into a
 * {@link dev.cloister.coordinator.routing.Decision} that says why. {@link
 * dev.cloister.coordinator.routing.Dispatcher} carries it out: it starts the request on the chosen
 * node and, as long as the caller has seen nothing of an answer, starts it again elsewhere when
 * that node is lost.
 */
package dev.cloister.coordinator.routing;
