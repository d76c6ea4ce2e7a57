package dev.cloister.agent.supervisor;

import dev.cloister.agent.fingerprint.Capability;
import dev.cloister.agent.fingerprint.Cpu;
import dev.cloister.agent.fingerprint.Engines;
import dev.cloister.agent.supervisor.EngineOptions.FlashAttention;
import dev.cloister.agent.supervisor.EngineOptions.KvType;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What the owner of a node says to all engines on it.
 *
 * @param threads of an engine at most
 * @param gpuLayers on the GPU at most; {@link EngineOptions#ALL_LAYERS} for all of them
 * @param kvType for models that do not say
 * @param flashAttention for models that do not say
 * @param prefixBytes of prefixes kept on disk for each model; 0 keeps none
 * @param memoryLimit bytes of main memory that all engines together may take
 */
public record NodeOptions(
    OptionalInt threads,
    OptionalInt gpuLayers,
    Optional<KvType> kvType,
    Optional<FlashAttention> flashAttention,
    long prefixBytes,
    OptionalLong memoryLimit) {

  public static final long DEFAULT_PREFIX_BYTES = 1L << 30;

  /** What the machine has, as far as models may use it, with engines as the owner wants them. */
  public Capability granted(Capability machine) {
    Engines engines = machine.engines();
    boolean flash =
        kvType.equals(Optional.of(KvType.Q8_0))
            || switch (flashAttention.orElse(FlashAttention.AUTO)) {
              case AUTO -> engines.flashAttention();
              case ON -> true;
              case OFF -> false;
            };
    boolean usesGpu = engines.usesGpu() && gpuLayers.orElse(EngineOptions.ALL_LAYERS) != 0;
    Capability capability = machine.withEngines(new Engines(engines.library(), flash, usesGpu));
    return memoryLimit.isPresent()
        ? capability.withMemory(capability.memory().limitedTo(memoryLimit.getAsLong()))
        : capability;
  }

  /** The same with half of the threads that a processor has room for, at least one. */
  NodeOptions gently(Cpu cpu) {
    int half = Math.max(1, cpu.logicalCores() / 2);
    return new NodeOptions(
        OptionalInt.of(Math.min(half, threads.orElse(half))),
        gpuLayers,
        kvType,
        flashAttention,
        prefixBytes,
        memoryLimit);
  }

  /** Of an owner who said nothing. */
  public static final NodeOptions DEFAULT =
      new NodeOptions(
          OptionalInt.empty(),
          OptionalInt.empty(),
          Optional.empty(),
          Optional.empty(),
          DEFAULT_PREFIX_BYTES,
          OptionalLong.empty());

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
    if (memoryLimit.orElse(1) < 1) {
      throw new IllegalArgumentException("memory-limit: 0 (expected: for example 4GiB)");
    }
  }
}
