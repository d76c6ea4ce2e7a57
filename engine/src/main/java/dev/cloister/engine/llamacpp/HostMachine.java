package dev.cloister.engine.llamacpp;

import dev.cloister.engine.generation.ModelLoadException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the machine offers a model, as Linux tells it in files; elsewhere most of it is unknown.
 *
 * @param root where {@code proc} and {@code sys} are mounted
 */
record HostMachine(Path root) {

  static final HostMachine THIS = new HostMachine(Path.of("/"));

  private static final Pattern AVAILABLE = Pattern.compile("MemAvailable:\\s+(\\d+) kB");
  private static final Pattern GROUP = Pattern.compile("(?m)^0::/(.*)$");
  private static final Pattern FILE_PAGES = Pattern.compile("(?m)^(?:in)?active_file (\\d+)$");

  /**
   * Cores that this process may use, each counted once however many hardware threads it has: two
   * threads of one core share the unit that multiplies matrices.
   */
  int physicalCores() {
    int allowed = Runtime.getRuntime().availableProcessors();
    Set<String> cores = new HashSet<>();
    try (DirectoryStream<Path> processors =
        Files.newDirectoryStream(root.resolve("sys/devices/system/cpu"), "cpu[0-9]*")) {
      for (Path processor : processors) {
        Path topology = processor.resolve("topology");
        cores.add(
            Files.readString(topology.resolve("physical_package_id"))
                + Files.readString(topology.resolve("core_id")));
      }
    } catch (IOException e) {
      return allowed;
    }
    return cores.isEmpty() ? allowed : Math.min(allowed, cores.size());
  }

  /**
   * Bytes that a process can still have, pages of files counted as free; of the machine or, where
   * that is less, of the control group (version 2) that this process is in. Empty if unknown.
   */
  OptionalLong availableBytes() {
    try {
      Matcher available = AVAILABLE.matcher(Files.readString(root.resolve("proc/meminfo")));
      if (!available.find()) {
        return OptionalLong.empty();
      }
      long bytes = Long.parseLong(available.group(1)) << 10;
      return OptionalLong.of(Math.min(bytes, groupBytes()));
    } catch (IOException | NumberFormatException e) {
      return OptionalLong.empty();
    }
  }

  /**
   * Refuses what does not fit: llama.cpp, or the system, ends the process when memory runs out.
   *
   * @param what needs them: {@code model}
   * @throws ModelLoadException if fewer bytes are available; not if that is unknown
   */
  static void requireMemory(String what, long neededBytes, OptionalLong availableBytes)
      throws ModelLoadException {
    if (availableBytes.isPresent() && neededBytes > availableBytes.getAsLong()) {
      throw new ModelLoadException(
          "%s needs about %s, and %s are free; choose a smaller one, or a machine with more memory"
              .formatted(what, gibibytes(neededBytes), gibibytes(availableBytes.getAsLong())));
    }
  }

  private static String gibibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
  }

  private long groupBytes() {
    try {
      Path mount = root.resolve("sys/fs/cgroup");
      Matcher name = GROUP.matcher(Files.readString(root.resolve("proc/self/cgroup")));
      Path group = name.find() ? mount.resolve(name.group(1)) : mount;
      long limit = Long.parseLong(Files.readString(group.resolve("memory.max")).strip());
      long used = Long.parseLong(Files.readString(group.resolve("memory.current")).strip());
      Matcher pages = FILE_PAGES.matcher(Files.readString(group.resolve("memory.stat")));
      while (pages.find()) {
        used -= Long.parseLong(pages.group(1));
      }
      return Math.max(0, limit - used);
    } catch (IOException | NumberFormatException e) {
      // No group, or "max" for one without a limit.
      return Long.MAX_VALUE;
    }
  }
}
