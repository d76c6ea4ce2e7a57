package dev.cloister.agent.fingerprint.gpu;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cloister.agent.fingerprint.host.CommandRunner;
import dev.cloister.agent.fingerprint.host.Memory;
import dev.cloister.agent.fingerprint.host.Probe;
import dev.cloister.agent.fingerprint.host.ToolField;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The GPUs of a Mac, from {@code system_profiler}: Apple's, which share the machine's memory, and
 * the AMD and NVIDIA cards of Intel Macs, whose free memory macOS does not tell. Intel's GPUs and
 * the paravirtual one of a virtual machine run no model worth it and are left out.
 */
public final class SystemProfilerProbe implements Probe<List<Gpu>> {

  private final GpuTool tool;
  private final Probe<Memory> machineMemory;

  public SystemProfilerProbe(CommandRunner runner, Probe<Memory> machineMemory) {
    this.tool = new GpuTool(runner, "system_profiler", "SPDisplaysDataType", "-json");
    this.machineMemory = machineMemory;
  }

  @Override
  public List<Gpu> probe() throws Exception {
    Optional<String> answer = tool.ask();
    return answer.isEmpty() ? List.of() : gpus(answer.get(), machineMemory.probe());
  }

  private static List<Gpu> gpus(String output, Memory machine) throws JsonProcessingException {
    List<Gpu> gpus = new ArrayList<>();
    for (JsonNode entry : new JsonMapper().readTree(output).path("SPDisplaysDataType")) {
      if (gpus.size() < GpuTool.MOST_GPUS) {
        gpu(entry, machine).ifPresent(gpus::add);
      }
    }
    return gpus;
  }

  private static Optional<Gpu> gpu(JsonNode entry, Memory machine) {
    String model = ToolField.name(entry.path("sppci_model").asText(entry.path("_name").asText("")));
    if (model.startsWith("Apple ") && !model.contains("Paravirtual")) {
      return Optional.of(
          new Gpu(
              Gpu.Vendor.APPLE, model, machine.totalBytes(), machine.availableBytes(), true, ""));
    }
    // "sppci_vendor_amd" and "AMD (0x1002)" are both in use; the model helps where neither is.
    String maker =
        (entry.path("spdisplays_vendor").asText("") + " " + model).toLowerCase(Locale.ROOT);
    Optional<Gpu.Vendor> vendor =
        maker.contains("amd") || maker.contains("radeon")
            ? Optional.of(Gpu.Vendor.AMD)
            : maker.contains("nvidia") ? Optional.of(Gpu.Vendor.NVIDIA) : Optional.empty();
    return vendor.map(known -> new Gpu(known, model, dedicatedMemory(entry), 0, false, ""));
  }

  /** macOS 10.13 writes the key with an underscore before it. */
  private static long dedicatedMemory(JsonNode entry) {
    String size = entry.path("spdisplays_vram").asText(entry.path("_spdisplays_vram").asText(""));
    return ToolField.size(size).orElse(0);
  }
}
