package dev.cloister.cli.model;

import static dev.cloister.cli.member.NodeFlags.number;

import dev.cloister.cli.argument.LayersConverter;
import dev.cloister.cli.argument.SplitConverter;
import dev.cloister.client.ModelInfo.Options;
import dev.cloister.client.admin.PlanQuestion;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a model is to be run. */
final class ModelFlags {
  @Option(
      names = "--context",
      paramLabel = "N",
      description = {
        "Tokens that one request may use, 32 or more (default: what the model was trained",
        "for, at most 8192)."
      })
  private @Nullable Integer context;

  @Option(
      names = "--slots",
      paramLabel = "N",
      description = "Requests answered at the same time (default: 4).")
  private @Nullable Integer slots;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that compute answers; a node may grant fewer.")
  private @Nullable Integer threads;

  @Option(
      names = "--batch-threads",
      paramLabel = "N",
      description = "Threads that compute prompts; a node may grant fewer.")
  private @Nullable Integer batchThreads;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Tokens computed at once at most (default: 512).")
  private @Nullable Integer batch;

  @Option(
      names = "--gpu-layers",
      paramLabel = "N|all",
      converter = LayersConverter.class,
      description = "Layers on the GPU; a node may grant fewer (default: all).")
  private @Nullable Integer gpuLayers;

  @Option(
      names = "--main-gpu",
      paramLabel = "N",
      description = "The one GPU to use, from 0 (default: layers are spread over all).")
  private @Nullable Integer mainGpu;

  @Option(
      names = "--kv-type",
      paramLabel = "f16|q8_0",
      description = {
        "How the KV cache is stored; q8_0 takes half the memory and costs a little quality",
        "(default: what the node says, else f16)."
      })
  private Options.@Nullable KvType kvType;

  @Option(
      names = "--kv-on",
      paramLabel = "gpu|host",
      description = "Where the KV cache lies: with the layers, or in main memory (default: gpu).")
  private Options.@Nullable KvPlace kvPlace;

  @Option(
      names = "--flash-attention",
      paramLabel = "auto|on|off",
      description = "Attention without its matrix in memory (default: what the node says).")
  private Options.@Nullable FlashAttention flashAttention;

  @Option(
      names = "--split",
      paramLabel = "auto|never|N",
      converter = SplitConverter.class,
      description = {
        "Over how many nodes the layers are spread (default: auto, only when no single node",
        "can hold the model)."
      })
  private @Nullable Integer split;

  @Option(
      names = "--force",
      description = {
        "With --split N: also where it is not proved that stages compute what the whole model",
        "does (docs/families.md)."
      })
  private boolean force;

  Options options() {
    SplitConverter.requireSplit(force, split);
    return new Options(
        number(context),
        number(slots),
        number(threads),
        number(batchThreads),
        number(batch),
        number(gpuLayers),
        number(mainGpu),
        Optional.ofNullable(kvType),
        Optional.ofNullable(kvPlace),
        Optional.ofNullable(flashAttention),
        number(split != null && split == PlanQuestion.AUTO ? null : split),
        force);
  }

  /** What is set, by the name of its flag without dashes; numbers are Integers, flags true. */
  static Map<String, Object> shown(Options options) {
    Map<String, Object> shown = new LinkedHashMap<>();
    put(shown, "context", options.contextTokens());
    put(shown, "slots", options.slots());
    put(shown, "threads", options.threads());
    put(shown, "batch-threads", options.batchThreads());
    put(shown, "batch", options.batchTokens());
    options
        .gpuLayers()
        .ifPresent(layers -> shown.put("gpu-layers", LayersConverter.format(layers)));
    put(shown, "main-gpu", options.mainGpu());
    put(shown, "kv-type", options.kvType());
    put(shown, "kv-on", options.kvPlace());
    put(shown, "flash-attention", options.flashAttention());
    options.split().ifPresent(stages -> shown.put("split", SplitConverter.format(stages)));
    if (options.force()) {
      shown.put("force", true);
    }
    return shown;
  }

  private static void put(Map<String, Object> shown, String name, OptionalInt value) {
    value.ifPresent(number -> shown.put(name, number));
  }

  private static void put(
      Map<String, Object> shown, String name, Optional<? extends Enum<?>> value) {
    value.ifPresent(choice -> shown.put(name, choice.name().toLowerCase(Locale.ROOT)));
  }
}
