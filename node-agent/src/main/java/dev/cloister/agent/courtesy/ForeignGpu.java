package dev.cloister.agent.courtesy;

import dev.cloister.agent.fingerprint.host.CommandRunner;
import dev.cloister.agent.fingerprint.host.CommandRunner.Outcome;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How much of the busiest NVIDIA GPU is used by others than this process and those it started, as
 * {@code nvidia-smi pmon} tells it. Of other makes nobody can tell by process.
 */
final class ForeignGpu {
  private static final Duration PATIENCE = Duration.ofSeconds(4);
  private static final Pattern SPACES = Pattern.compile("\\s+");

  /** Columns: gpu, pid, type, sm %, and more that does not matter here. */
  private static final int LEAST_COLUMNS = 4;

  private final CommandRunner runner;
  private final Supplier<Set<Long>> ownProcesses;

  ForeignGpu(CommandRunner runner, Supplier<Set<Long>> ownProcesses) {
    this.runner = runner;
    this.ownProcesses = ownProcesses;
  }

  static ForeignGpu ofThisMachine(CommandRunner runner) {
    return new ForeignGpu(runner, ForeignGpu::ownProcesses);
  }

  private static Set<Long> ownProcesses() {
    ProcessHandle self = ProcessHandle.current();
    return Stream.concat(Stream.of(self), self.descendants())
        .map(ProcessHandle::pid)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** 0 to 1; empty where nobody can tell. */
  OptionalDouble sample() throws InterruptedException {
    return runner.run(List.of("nvidia-smi", "pmon", "-c", "1", "-s", "u"), PATIENCE)
                instanceof Outcome.Completed(int exit, String out, var _)
            && exit == 0
        ? busiest(out, ownProcesses.get())
        : OptionalDouble.empty();
  }

  /** Lines of {@code #} name the columns; {@code -} stands for nothing. */
  static OptionalDouble busiest(String table, Set<Long> own) {
    Map<String, Double> percents = new HashMap<>();
    for (String line : table.lines().toList()) {
      String[] fields = SPACES.split(line.strip(), -1);
      if (line.isBlank() || fields[0].startsWith("#") || fields.length < LEAST_COLUMNS) {
        continue;
      }
      boolean foreign =
          isNumber(fields[1]) && isNumber(fields[3]) && !own.contains(Long.parseLong(fields[1]));
      percents.merge(fields[0], foreign ? Double.parseDouble(fields[3]) : 0, Double::sum);
    }
    return percents.values().stream().mapToDouble(percent -> Math.min(1, percent / 100)).max();
  }

  private static boolean isNumber(String field) {
    return !field.isEmpty() && field.length() < 10 && field.chars().allMatch(Character::isDigit);
  }
}
