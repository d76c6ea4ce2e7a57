package dev.cloister.coordinator.catalog;

import java.io.IOException;

/** A model's file is not what it was when it was added. */
public final class ChangedModelException extends IOException {
  private static final long serialVersionUID = 1L;

  ChangedModelException(Model model, String how) {
    super(
        "the coordinator's file of model %s %s; put it back, or add the model anew"
            .formatted(model.name(), how));
  }
}
