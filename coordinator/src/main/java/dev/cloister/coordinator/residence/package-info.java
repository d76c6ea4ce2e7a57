/**
 * Which whole models stay on which nodes, and which leave for others: pure, time comes in.
 *
 * <p>{@link dev.cloister.coordinator.residence.Residents} knows who is where and why; {@link
 * dev.cloister.coordinator.residence.Eviction} chooses who leaves, by what {@link
 * dev.cloister.coordinator.residence.Usage} saw; {@link
 * dev.cloister.coordinator.residence.LoadTimes} predicts how long coming takes.
 */
package dev.cloister.coordinator.residence;
