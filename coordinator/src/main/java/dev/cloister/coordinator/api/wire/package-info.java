/**
 * Between generated types and the domain's: {@code toWire} and {@code fromWire}, a class for each
 * room of the domain. What arrives is checked by the values that it becomes.
 */
package dev.cloister.coordinator.api.wire;
