/**
 * The HTTP APIs that users' tools expect.
 *
 * <p>{@link dev.cloister.coordinator.gateway.Gateway} is the listener; an endpoint parses a request
 * strictly ({@link dev.cloister.coordinator.gateway.RequestBody}), hands the generation to routing,
 * and an {@code Answer} writes what comes back, whole or as server-sent events. Every error has the
 * shape its API's clients expect ({@link dev.cloister.coordinator.gateway.OpenAiError}).
 */
package dev.cloister.coordinator.gateway;
