package dev.cloister.engine.llamacpp;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** What the machine offers a model. */
final class HostMachine {

  private static final Path PROCESSORS = Path.of("/sys/devices/system/cpu");

  private HostMachine() {}

  /**
   * Cores that this process may use, each counted once however many hardware threads it has: two
   * threads of one core share the unit that multiplies matrices.
   */
  static int physicalCores() {
    int allowed = Runtime.getRuntime().availableProcessors();
    Set<String> cores = new HashSet<>();
    try (DirectoryStream<Path> processors = Files.newDirectoryStream(PROCESSORS, "cpu[0-9]*")) {
      for (Path processor : processors) {
        Path topology = processor.resolve("topology");
        cores.add(
            Files.readString(topology.resolve("physical_package_id"))
                + Files.readString(topology.resolve("core_id")));
      }
    } catch (IOException | UncheckedIOException e) {
      return allowed;
    }
    return cores.isEmpty() ? allowed : Math.min(allowed, cores.size());
  }
}
