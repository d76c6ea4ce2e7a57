package dev.cloister.coordinator.identity;

/** A token or member that is not good. The message is one sentence for the caller. */
public final class AdmissionRefusedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public AdmissionRefusedException(String message) {
    super(message);
  }
}
