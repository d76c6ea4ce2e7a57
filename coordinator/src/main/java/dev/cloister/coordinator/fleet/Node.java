package dev.cloister.coordinator.fleet;

/**
 * A machine that joined.
 *
 * @param id the member id of its certificate
 * @param name what people call it; unique in the cluster
 */
public record Node(String id, String name) {}
