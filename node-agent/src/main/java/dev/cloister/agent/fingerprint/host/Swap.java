package dev.cloister.agent.fingerprint.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import oshi.SystemInfo;
import oshi.hardware.VirtualMemory;

/**
 * Disk that stands in for memory. A model that lies there is of no use: each token reads all of it.
 *
 * @param totalBytes 0 where there is none
 */
public record Swap(long totalBytes, long usedBytes) {
  private static final Path LINUX = Path.of("/proc/meminfo");

  /**
   * That of this machine.
   *
   * @throws IOException if the system does not tell
   */
  public static Swap ofThisMachine() throws IOException {
    if (Files.exists(LINUX)) {
      List<String> lines = Files.readAllLines(LINUX);
      long total = bytes(lines, "SwapTotal:");
      return new Swap(total, total - bytes(lines, "SwapFree:"));
    }
    VirtualMemory memory = new SystemInfo().getHardware().getMemory().getVirtualMemory();
    return new Swap(memory.getSwapTotal(), memory.getSwapUsed());
  }

  private static long bytes(List<String> lines, String key) {
    return lines.stream()
        .filter(line -> line.startsWith(key))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10)
        .findFirst()
        .orElse(0);
  }
}
