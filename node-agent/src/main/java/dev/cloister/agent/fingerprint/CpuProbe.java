package dev.cloister.agent.fingerprint;

import dev.cloister.agent.fingerprint.host.Host;
import dev.cloister.agent.fingerprint.host.Probe;
import dev.cloister.agent.fingerprint.host.ToolField;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** The processor, its cores within this process's quota, and its vector extensions. */
final class CpuProbe implements Probe<Cpu> {

  private static final Pattern SEPARATORS = Pattern.compile("[\\s:,]+");

  /** Those llama.cpp has code for (ggml/src/ggml-cpu), as we write them. */
  private static final Set<String> EXTENSIONS =
      Set.of(
          "sse4-2",
          "avx",
          "avx2",
          "fma",
          "f16c",
          "avx-vnni",
          "avx512f",
          "avx512-vnni",
          "avx512-bf16",
          "amx-tile",
          "amx-int8",
          "amx-bf16",
          "neon",
          "asimddp",
          "i8mm",
          "sve",
          "bf16");

  /** Other spellings: ARM Linux, macOS sysctl, Windows IsProcessorFeaturePresent. */
  private static final Map<String, String> ALIASES =
      Map.of(
          "asimd", "neon",
          "sse4.2", "sse4-2",
          "avx1.0", "avx",
          "pf-sse4-2-instructions-available", "sse4-2",
          "pf-avx-instructions-available", "avx",
          "pf-avx2-instructions-available", "avx2",
          "pf-avx512f-instructions-available", "avx512f",
          "pf-arm-neon-instructions-available", "neon",
          "pf-arm-v82-dp-instructions-available", "asimddp",
          "pf-arm-sve-instructions-available", "sve");

  private final Host host;
  private final String architecture;
  private final int usableCores;

  /**
   * @param usableCores what the JVM may use, which knows a control group's quota
   */
  CpuProbe(Host host, String architecture, int usableCores) {
    this.host = host;
    this.architecture = architecture;
    this.usableCores = usableCores;
  }

  @Override
  public Cpu probe() throws Exception {
    Host.Processor processor = host.processor();
    return new Cpu(
        ToolField.name(processor.model()),
        Math.clamp(processor.physicalCores(), 0, usableCores),
        usableCores,
        extensions(processor));
  }

  private List<String> extensions(Host.Processor processor) {
    Set<String> found = new TreeSet<>();
    for (String flags : processor.flags()) {
      for (String flag : SEPARATORS.split(flags.toLowerCase(Locale.ROOT), -1)) {
        String written = flag.replace('_', '-');
        String extension = ALIASES.getOrDefault(written, written);
        if (EXTENSIONS.contains(extension)) {
          found.add(extension);
        }
      }
    }
    if (architecture.equals("aarch64")) {
      found.add("neon"); // part of ARMv8-A as every system we run on requires it
      if (processor.model().startsWith("Apple M")) {
        // macOS tells OSHI no flags. M1 is ARMv8.4 with dot products, M2 and later ARMv8.6
        // (LLVM, AArch64Processors.td).
        found.add("asimddp");
        if (!processor.model().startsWith("Apple M1")) {
          found.addAll(List.of("i8mm", "bf16"));
        }
      }
    }
    return List.copyOf(found);
  }
}
