/**
 * The HTTP APIs that users' tools expect.
 *
 * <p>{@link dev.cloister.coordinator.gateway.Gateway} is the listener: it lets nobody in without a
 * key, and gives each API, a room of its own below this one, its paths.
 */
package dev.cloister.coordinator.gateway;
