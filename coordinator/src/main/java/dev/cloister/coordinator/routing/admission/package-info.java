/**
 * Who may send what to a node, and when: pure, so that a simulation runs the very code that serves.
 * No clock, thread or I/O is here; times come in as nanoseconds on any clock that does not jump.
 *
 * <p>Start with {@link dev.cloister.coordinator.routing.admission.FairQueue}, where requests for
 * one model wait and callers take turns by tokens. How much a node is given says its {@link
 * dev.cloister.coordinator.routing.admission.AdaptiveLimit}, and, once it failed, its {@link
 * dev.cloister.coordinator.routing.admission.Ejection}. How often failed requests are tried again
 * is bounded by a {@link dev.cloister.coordinator.routing.admission.RetryBudget}.
 */
package dev.cloister.coordinator.routing.admission;
