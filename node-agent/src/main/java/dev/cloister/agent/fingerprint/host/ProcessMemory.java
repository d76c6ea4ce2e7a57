package dev.cloister.agent.fingerprint.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import oshi.SystemInfo;
import oshi.software.os.OSProcess;

/** Memory of other processes. */
public final class ProcessMemory {
  private static final String RESIDENT = "VmRSS:";

  private ProcessMemory() {}

  /** Bytes of a process that are in memory, files it has mapped included; 0 if unknown. */
  public static long residentBytes(long pid) {
    Path status = Path.of("/proc", String.valueOf(pid), "status");
    if (Files.exists(status)) {
      return ofLinux(status);
    }
    @Nullable OSProcess process = new SystemInfo().getOperatingSystem().getProcess((int) pid);
    return process == null ? 0 : process.getResidentMemory();
  }

  private static long ofLinux(Path status) {
    try {
      for (String line : Files.readAllLines(status)) {
        if (line.startsWith(RESIDENT)) {
          String kibibytes = line.substring(RESIDENT.length()).replace("kB", "").strip();
          return Long.parseLong(kibibytes) << 10;
        }
      }
    } catch (IOException | NumberFormatException e) {
      // It has just ended.
    }
    return 0;
  }
}
