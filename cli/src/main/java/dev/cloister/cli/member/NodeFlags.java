package dev.cloister.cli.member;

import dev.cloister.agent.supervisor.EngineOptions.FlashAttention;
import dev.cloister.agent.supervisor.EngineOptions.KvType;
import dev.cloister.agent.supervisor.NodeOptions;
import dev.cloister.cli.argument.LayersConverter;
import dev.cloister.cli.argument.SizeConverter;
import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a machine's owner says to the engines on it. */
public final class NodeFlags {
  @Option(
      names = "--threads",
      paramLabel = "N",
      description = {
        "Threads an engine may use at most (default: one a core for answers, all",
        "processors but one for prompts)."
      })
  private @Nullable Integer threads;

  @Option(
      names = "--gpu-layers",
      paramLabel = "N|all",
      converter = LayersConverter.class,
      description = "Layers of a model on the GPU at most; 0 leaves it alone (default: all).")
  private @Nullable Integer gpuLayers;

  @Option(
      names = "--kv-type",
      paramLabel = "f16|q8_0",
      description = {
        "How the KV cache is stored, for models that do not say; q8_0 takes half the",
        "memory and costs a little quality (default: f16)."
      })
  private @Nullable KvType kvType;

  @Option(
      names = "--flash-attention",
      paramLabel = "auto|on|off",
      description = "For models that do not say (default: auto).")
  private @Nullable FlashAttention flashAttention;

  @Option(
      names = "--prefix-cache-size",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = {
        "Disk for beginnings of prompts that outlive an engine, for each model (default:",
        "1GiB). They are what was asked, kept in the data directory, readable by this user",
        "only. 0 keeps none and removes what was kept."
      })
  private long prefixBytes = NodeOptions.DEFAULT_PREFIX_BYTES;

  @Option(
      names = "--memory-limit",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = {
        "Main memory that models on this machine may use, all together (default: what is",
        "free). What needs more is not loaded here, or in part."
      })
  private @Nullable Long memoryLimit;

  /**
   * @throws CommandFailedException if a value is out of range
   */
  public NodeOptions options() {
    try {
      return new NodeOptions(
          number(threads),
          number(gpuLayers),
          Optional.ofNullable(kvType),
          Optional.ofNullable(flashAttention),
          prefixBytes,
          memoryLimit == null ? OptionalLong.empty() : OptionalLong.of(memoryLimit));
    } catch (IllegalArgumentException e) {
      throw new CommandFailedException(ExitCode.USAGE, "--" + e.getMessage());
    }
  }

  public static OptionalInt number(@Nullable Integer value) {
    return value == null ? OptionalInt.empty() : OptionalInt.of(value);
  }
}
