package dev.cloister.agent.fingerprint.gpu;

import dev.cloister.agent.fingerprint.host.CommandRunner;
import dev.cloister.agent.fingerprint.host.Memory;
import dev.cloister.agent.fingerprint.host.Probe;
import dev.cloister.agent.fingerprint.host.ToolField;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/**
 * NVIDIA's GPUs, from {@code nvidia-smi}. Only fields that every driver since 2013 knows are asked
 * for: one unknown field fails the whole query.
 *
 * <p>Fields may read {@code [N/A]}, {@code [Not Supported]} or {@code [Insufficient Permissions]}.
 * On Jetson and GB10 that means unified memory, and the machine's is reported. Inside a container
 * that was given a MIG slice it means that the card's memory is none of its business; it stays
 * unknown. A card that is cut into slices is reported whole.
 */
public final class NvidiaSmiProbe implements Probe<List<Gpu>> {

  /** Systems on a chip: Jetson (Tegra) and DGX Spark. */
  private static final Pattern UNIFIED =
      Pattern.compile("\\b(GB10|N1X?|Orin|Thor|Xavier|Tegra|nvgpu)\\b");

  private final GpuTool tool;
  private final Probe<Memory> machineMemory;

  public NvidiaSmiProbe(CommandRunner runner, Probe<Memory> machineMemory) {
    this.tool =
        new GpuTool(
            runner,
            "nvidia-smi",
            "--query-gpu=name,memory.total,memory.free,driver_version",
            "--format=csv,noheader,nounits");
    this.machineMemory = machineMemory;
  }

  @Override
  public List<Gpu> probe() throws Exception {
    Optional<String> answer = tool.ask();
    if (answer.isEmpty()) {
      return List.of();
    }
    Memory machine = machineMemory.probe();
    return answer
        .get()
        .lines()
        .flatMap(line -> gpu(line, machine).stream())
        .limit(GpuTool.MOST_GPUS)
        .toList();
  }

  /** Empty for a line that is none of the table, such as {@code No devices were found}. */
  private static Optional<Gpu> gpu(String line, Memory machine) {
    String[] fields = line.split(",", -1);
    int count = fields.length;
    if (count < 4) {
      return Optional.empty();
    }
    // Counted from the end, should a name ever hold a comma.
    String model = ToolField.name(String.join(",", Arrays.copyOf(fields, count - 3)));
    if (model.isEmpty()) {
      return Optional.empty();
    }
    OptionalLong total = ToolField.bytes(fields[count - 3], ToolField.MIB);
    long free = ToolField.bytes(fields[count - 2], ToolField.MIB).orElse(0);
    String driver = ToolField.name(fields[count - 1]);
    if (driver.startsWith("[")) {
      driver = "";
    }
    if (total.isEmpty() && UNIFIED.matcher(model).find()) {
      return Optional.of(
          new Gpu(
              Gpu.Vendor.NVIDIA,
              model,
              machine.totalBytes(),
              machine.availableBytes(),
              true,
              driver));
    }
    long known = total.orElse(0);
    return Optional.of(
        new Gpu(Gpu.Vendor.NVIDIA, model, known, Math.min(free, known), false, driver));
  }
}
