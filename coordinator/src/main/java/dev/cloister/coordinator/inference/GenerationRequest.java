package dev.cloister.coordinator.inference;

/**
 * A generation on its way to a node.
 *
 * @param id unique in the cluster; names the request in logs and towards the caller
 * @param model name in the catalog
 * @param beginning what the node is to go on from
 */
public record GenerationRequest(
    String id, String model, Tenant tenant, Generation generation, Beginning beginning) {

  /** An answer from its start. */
  public GenerationRequest(String id, String model, Tenant tenant, Generation generation) {
    this(id, model, tenant, generation, Beginning.NONE);
  }

  /** The rest of the answer. */
  public GenerationRequest from(Beginning made) {
    return new GenerationRequest(id, model, tenant, generation, made);
  }
}
