package dev.cloister.agent.fingerprint.host;

/**
 * Main memory that this process may use: the machine's, or its control group's where that is less.
 *
 * @param totalBytes 0 if unknown
 * @param availableBytes at most {@code totalBytes}
 */
public record Memory(long totalBytes, long availableBytes) {

  public Memory {
    if (totalBytes < 0) {
      throw new IllegalArgumentException("totalBytes: " + totalBytes + " (expected: >= 0)");
    }
    if (availableBytes < 0 || availableBytes > totalBytes) {
      throw new IllegalArgumentException(
          "availableBytes: " + availableBytes + " (expected: 0 to " + totalBytes + ")");
    }
  }

  /** As much of it as the owner of the machine allows. */
  public Memory limitedTo(long bytes) {
    return new Memory(Math.min(totalBytes, bytes), Math.min(availableBytes, bytes));
  }
}
