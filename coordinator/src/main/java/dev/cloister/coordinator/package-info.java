/**
 * The coordinator: it admits members, knows every node, and sends each request to the best of them.
 *
 * <p>{@link dev.cloister.coordinator.Coordinator} wires the rooms together: {@code identity} (who
 * may join and call), {@code fleet} (machines), {@code catalog} (models), {@code placement} (which
 * model where), {@code routing} (which node answers), {@code gateway} (HTTP) and {@code api}
 * (gRPC), {@code store} (what survives a restart).
 */
package dev.cloister.coordinator;
