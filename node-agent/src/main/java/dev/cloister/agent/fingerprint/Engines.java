package dev.cloister.agent.fingerprint;

/**
 * What engines on this machine run with.
 *
 * @param library the native library, as engines name it: {@code llama.cpp v0.5.0}; empty if unknown
 * @param flashAttention whether they do attention piece by piece unless told otherwise
 * @param usesGpu whether the library computes on the machine's GPUs
 */
public record Engines(String library, boolean flashAttention, boolean usesGpu) {
  /** Nothing is known of them. */
  public static final Engines UNKNOWN = new Engines("", false, false);
}
