package dev.cloister.agent.fingerprint.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * The memory limit that Linux control groups set this process, version 2 or 1. Every group up to
 * the root of the mount counts, the tightest one wins. Format: Admin Guide of the kernel, {@code
 * cgroup-v2} and {@code cgroup-v1/memory}.
 */
public final class ControlGroup {

  private record Version(String mount, String limit, String usage, String reclaimable) {
    private static final Version V2 =
        new Version("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file ");
    private static final Version V1 =
        new Version(
            "sys/fs/cgroup/memory",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_inactive_file ");
  }

  private final Path root;

  /**
   * @param root where {@code proc} and {@code sys} lie; another directory than {@code /} in tests
   */
  public ControlGroup(Path root) {
    this.root = root;
  }

  /** {@code machine}, or less of it where a group limits this process. */
  public Memory limit(Memory machine) throws IOException {
    Memory memory = machine;
    Path memberships = root.resolve("proc/self/cgroup");
    if (!Files.exists(memberships)) {
      return memory;
    }
    for (String line : Files.readAllLines(memberships)) {
      String[] fields = line.split(":", 3);
      if (fields.length < 3) {
        continue;
      }
      if (fields[1].isEmpty()) {
        memory = limit(memory, Version.V2, fields[2]);
      } else if (List.of(fields[1].split(",")).contains("memory")) {
        memory = limit(memory, Version.V1, fields[2]);
      }
    }
    return memory;
  }

  private Memory limit(Memory machine, Version version, String group) throws IOException {
    Memory memory = machine;
    for (Path directory : upwards(root.resolve(version.mount()), group)) {
      OptionalLong limit = number(directory.resolve(version.limit()));
      // No limit reads "max" (version 2) or nearly 2^63 (version 1).
      if (limit.isEmpty() || limit.getAsLong() >= machine.totalBytes()) {
        continue;
      }
      long total = Math.min(memory.totalBytes(), limit.getAsLong());
      long used =
          number(directory.resolve(version.usage())).orElse(0) - reclaimable(directory, version);
      long free = Math.clamp(limit.getAsLong() - Math.max(0, used), 0, total);
      memory = new Memory(total, Math.min(memory.availableBytes(), free));
    }
    return memory;
  }

  /** In a container the path may be the one outside of it: then only the mount itself is there. */
  private static List<Path> upwards(Path mount, String group) {
    List<Path> directories = new ArrayList<>();
    Path directory = mount.resolve(group.replaceFirst("^/+", "")).normalize();
    for (; directory != null && directory.startsWith(mount); directory = directory.getParent()) {
      directories.add(directory);
    }
    if (directories.isEmpty()) {
      directories.add(mount);
    }
    return directories;
  }

  /** Page cache that the kernel gives back before it refuses memory. */
  private static long reclaimable(Path directory, Version version) throws IOException {
    Path statistics = directory.resolve("memory.stat");
    if (!Files.exists(statistics)) {
      return 0;
    }
    for (String line : Files.readAllLines(statistics)) {
      if (line.startsWith(version.reclaimable())) {
        return number(line.substring(version.reclaimable().length())).orElse(0);
      }
    }
    return 0;
  }

  private static OptionalLong number(Path file) throws IOException {
    return Files.exists(file) ? number(Files.readString(file)) : OptionalLong.empty();
  }

  private static OptionalLong number(String text) {
    try {
      long number = Long.parseLong(text.strip());
      return number >= 0 ? OptionalLong.of(number) : OptionalLong.empty();
    } catch (NumberFormatException notANumber) {
      return OptionalLong.empty();
    }
  }
}
