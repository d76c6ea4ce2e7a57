package dev.cloister.agent.fingerprint.host;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What the operating system says about the machine, not judged yet: {@code 0}, empty or implausible
 * values are passed on as they are found. Implementations are thread-safe.
 */
public interface Host {

  /** The machine's name; empty if it has none. */
  String hostName() throws IOException;

  /** The system's name and version, for people. */
  String operatingSystem() throws IOException;

  Processor processor() throws IOException;

  /** The machine's memory, whatever a control group leaves of it. */
  Memory memory() throws IOException;

  Optional<Battery> battery() throws IOException;

  List<Interface> interfaces() throws IOException;

  /** Time all cores have spent since some moment in the past; only differences mean something. */
  CpuTime cpuTime() throws IOException;

  /** What {@link #cpuTime} counts in a second of one core. */
  int ticksPerSecond();

  /**
   * The processor, or the first of several.
   *
   * @param physicalCores 0 if unknown
   * @param flags feature flags as this system spells them
   */
  record Processor(String model, int physicalCores, List<String> flags) {}

  /**
   * A network interface of any kind.
   *
   * @param speedBitsPerSecond 0 or less if unknown
   */
  record Interface(String name, boolean up, long speedBitsPerSecond, boolean wireless) {}

  record CpuTime(long busy, long total) {}

  /** OSHI and its native library start in 200 to 300 ms, so Linux does without them. */
  static Host ofThisMachine() {
    return System.getProperty("os.name", "").startsWith("Linux")
        ? new LinuxHost(Path.of("/"))
        : new OshiHost();
  }
}
