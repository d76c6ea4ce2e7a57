package dev.cloister.agent.fingerprint;

/**
 * The volume that holds the agent's data; free is what the agent's user may still write.
 *
 * @param totalBytes 0 if unknown
 * @param freeBytes at most {@code totalBytes}
 */
public record Disk(long totalBytes, long freeBytes) {

  public Disk {
    if (totalBytes < 0) {
      throw new IllegalArgumentException("totalBytes: " + totalBytes + " (expected: >= 0)");
    }
    if (freeBytes < 0 || freeBytes > totalBytes) {
      throw new IllegalArgumentException(
          "freeBytes: " + freeBytes + " (expected: 0 to " + totalBytes + ")");
    }
  }
}
