package dev.cloister.agent.supervisor;

import dev.cloister.agent.supervisor.EngineOptions.FlashAttention;
import dev.cloister.agent.supervisor.EngineOptions.KvType;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the owner of a node says to all engines on it.
 *
 * @param threads of an engine at most
 * @param gpuLayers on the GPU at most; {@link EngineOptions#ALL_LAYERS} for all of them
 * @param kvType for models that do not say
 * @param flashAttention for models that do not say
 * @param prefixBytes of prefixes kept on disk for each model; 0 keeps none
 */
public record NodeOptions(
    OptionalInt threads,
    OptionalInt gpuLayers,
    Optional<KvType> kvType,
    Optional<FlashAttention> flashAttention,
    long prefixBytes) {

  public static final long DEFAULT_PREFIX_BYTES = 1L << 30;

  /** Of an owner who said nothing. */
  public static final NodeOptions DEFAULT =
      new NodeOptions(
          OptionalInt.empty(),
          OptionalInt.empty(),
          Optional.empty(),
          Optional.empty(),
          DEFAULT_PREFIX_BYTES);

  /**
   * @throws IllegalArgumentException if a value is out of range; the message is one sentence
   */
  public NodeOptions {
    EngineOptions.require("threads", threads, 1, 1024);
    EngineOptions.require("gpu-layers", gpuLayers, EngineOptions.ALL_LAYERS, 10_000);
    if (EngineOptions.contradict(kvType, flashAttention)) {
      throw new IllegalArgumentException(
          "kv-type q8_0 needs flash attention, which is turned off; leave it to auto");
    }
    if (prefixBytes < 0) {
      throw new IllegalArgumentException("prefix bytes: " + prefixBytes + " (expected: >= 0)");
    }
  }
}
