package dev.cloister.agent.supervisor;

/** Is told of every change of a model's status, in order for each model. Returns quickly. */
@FunctionalInterface
public interface StatusListener {
  void changed(ModelSpec model, ModelStatus status);
}
