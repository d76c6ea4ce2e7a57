package dev.cloister.agent.fingerprint.gpu;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cloister.agent.fingerprint.host.CommandRunner;
import dev.cloister.agent.fingerprint.host.Probe;
import dev.cloister.agent.fingerprint.host.ToolField;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * AMD's GPUs on Linux, from {@code rocm-smi}. Its keys changed their case between ROCm 5 and 6
 * ({@code Card series}, {@code Card Series}), and a warning may stand before the JSON.
 *
 * <p>A card that is cut into partitions (MI300X in CPX mode) appears once for each, and each claims
 * the whole memory: a defect of the tool (ROCm issue 4750) that is not corrected here.
 */
public final class RocmSmiProbe implements Probe<List<Gpu>> {

  private static final Pattern CARD = Pattern.compile("card\\d+");
  private static final Pattern JSON_START = Pattern.compile("^\\s*\\{", Pattern.MULTILINE);

  /** What stands for a name where the driver does not know the card. */
  private static final Pattern NAMELESS = Pattern.compile("(?i)(0x[0-9a-f]+|n/a|unknown|)");

  private final GpuTool tool;

  public RocmSmiProbe(CommandRunner runner) {
    this.tool =
        new GpuTool(
            runner,
            "rocm-smi",
            "--showproductname",
            "--showmeminfo",
            "vram",
            "--showdriverversion",
            "--json");
  }

  @Override
  public List<Gpu> probe() throws Exception {
    Optional<String> answer = tool.ask();
    return answer.isEmpty() ? List.of() : gpus(answer.get());
  }

  private static List<Gpu> gpus(String output) throws JsonProcessingException {
    Matcher start = JSON_START.matcher(output);
    if (!start.find()) {
      return List.of();
    }
    JsonNode report = new JsonMapper().readTree(output.substring(start.start()));
    String driver =
        ToolField.name(fields(report.path("system")).getOrDefault("driver version", ""));
    List<Gpu> gpus = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : report.properties()) {
      if (CARD.matcher(entry.getKey()).matches() && gpus.size() < GpuTool.MOST_GPUS) {
        gpus.add(gpu(fields(entry.getValue()), driver));
      }
    }
    return gpus;
  }

  private static Gpu gpu(Map<String, String> fields, String driver) {
    String model =
        Stream.of("card series", "device name", "card model")
            .map(key -> ToolField.name(fields.getOrDefault(key, "")))
            .filter(name -> !NAMELESS.matcher(name).matches())
            .findFirst()
            .orElseGet(() -> ("AMD GPU " + fields.getOrDefault("gfx version", "")).strip());
    long total = bytes(fields, "vram total memory (b)");
    long used = Math.min(bytes(fields, "vram total used memory (b)"), total);
    return new Gpu(Gpu.Vendor.AMD, ToolField.name(model), total, total - used, false, driver);
  }

  private static long bytes(Map<String, String> fields, String key) {
    return ToolField.bytes(fields.getOrDefault(key, ""), 1).orElse(0);
  }

  private static Map<String, String> fields(JsonNode node) {
    Map<String, String> fields = new TreeMap<>();
    node.properties()
        .forEach(
            field ->
                fields.put(field.getKey().toLowerCase(Locale.ROOT), field.getValue().asText("")));
    return fields;
  }
}
