package dev.cloister.coordinator.inference;

/**
 * A generation on its way to a node.
 *
 * @param id unique in the cluster; names the request in logs and towards the caller
 * @param model name in the catalog
 */
public record GenerationRequest(String id, String model, Tenant tenant, Generation generation) {}
