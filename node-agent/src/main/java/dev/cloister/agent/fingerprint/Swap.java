package dev.cloister.agent.fingerprint;

import oshi.SystemInfo;
import oshi.hardware.VirtualMemory;

/**
 * Disk that stands in for memory. A model that lies there is of no use: each token reads all of it.
 *
 * @param totalBytes 0 where there is none
 */
public record Swap(long totalBytes, long usedBytes) {
  /** That of this machine. */
  public static Swap ofThisMachine() {
    VirtualMemory memory = new SystemInfo().getHardware().getMemory().getVirtualMemory();
    return new Swap(memory.getSwapTotal(), memory.getSwapUsed());
  }
}
