package dev.cloister.coordinator.residence;

/** A model on a node. */
public record Place(String nodeId, String model) {}
