package dev.cloister.coordinator.inference;

import java.util.List;

/**
 * A generation on its way to a node.
 *
 * @param id unique in the cluster; names the request in logs and towards the caller
 * @param model name in the catalog
 * @param beginning what the node is to go on from
 * @param marks name beginnings of the prompt, shortest first; empty where nobody has made them
 */
public record GenerationRequest(
    String id,
    String model,
    Tenant tenant,
    Generation generation,
    Beginning beginning,
    List<Long> marks) {

  public GenerationRequest {
    marks = List.copyOf(marks);
  }

  /** An answer from its start. */
  public GenerationRequest(String id, String model, Tenant tenant, Generation generation) {
    this(id, model, tenant, generation, Beginning.NONE, List.of());
  }

  /** The rest of the answer. */
  public GenerationRequest from(Beginning made) {
    return new GenerationRequest(id, model, tenant, generation, made, marks);
  }

  /** The same with the marks of its prompt. */
  public GenerationRequest withMarks(List<Long> made) {
    return new GenerationRequest(id, model, tenant, generation, beginning, made);
  }
}
