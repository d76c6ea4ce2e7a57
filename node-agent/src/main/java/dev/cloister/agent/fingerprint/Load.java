package dev.cloister.agent.fingerprint;

/**
 * How busy the machine is.
 *
 * @param cpuUtilization 0 to 1, over all of the machine's cores, since the sample before
 * @param memoryAvailableBytes as in {@link Memory}
 */
public record Load(double cpuUtilization, long memoryAvailableBytes) {

  public Load {
    if (!(cpuUtilization >= 0 && cpuUtilization <= 1)) {
      throw new IllegalArgumentException(
          "cpuUtilization: " + cpuUtilization + " (expected: 0 to 1)");
    }
    if (memoryAvailableBytes < 0) {
      throw new IllegalArgumentException(
          "memoryAvailableBytes: " + memoryAvailableBytes + " (expected: >= 0)");
    }
  }
}
