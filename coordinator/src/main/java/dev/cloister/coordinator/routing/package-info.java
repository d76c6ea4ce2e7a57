/**
 * Which node answers a request, and the request's way until it is answered.
 *
 * <p>The choice is pure: {@link dev.cloister.coordinator.routing.choice} says of each node that has
 * the model when it would be done. {@link dev.cloister.coordinator.routing.CandidateBook} keeps the
 * candidates up to date, and {@link dev.cloister.coordinator.routing.Dispatcher} carries the choice
 * out: it starts the request on the chosen node and, when that one is lost, has another go on.
 * Where all nodes are full, requests wait in {@link dev.cloister.coordinator.routing.WaitingRooms},
 * fairly; where none has the model, {@link dev.cloister.coordinator.routing.Prospects} says whether
 * it is worth waiting.
 */
package dev.cloister.coordinator.routing;
