/**
 * The cluster port: gRPC services over mutual TLS.
 *
 * <p>With {@link dev.cloister.coordinator.api.wire} the only room of the coordinator that sees gRPC
 * and generated types; each service translates to the domain and back. {@link
 * dev.cloister.coordinator.api.ClusterServer} puts them behind one listener, {@link
 * dev.cloister.coordinator.api.AccessInterceptor} lets in only what the access table allows.
 */
package dev.cloister.coordinator.api;
