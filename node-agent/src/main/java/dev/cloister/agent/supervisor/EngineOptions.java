package dev.cloister.agent.supervisor;

import dev.cloister.agent.fingerprint.Cpu;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How a model's engine is to run. What is empty is left to the node, and after it to the engine.
 *
 * @param threads that compute answers
 * @param batchThreads that compute prompts
 * @param batchTokens tokens computed at once at most
 * @param gpuLayers layers on the GPU; {@link #ALL_LAYERS} for all of them
 * @param mainGpu the one GPU to use
 * @param kvType how numbers in the KV cache are stored
 * @param kvPlace where the KV cache lies
 */
public record EngineOptions(
    OptionalInt threads,
    OptionalInt batchThreads,
    OptionalInt batchTokens,
    OptionalInt gpuLayers,
    OptionalInt mainGpu,
    Optional<KvType> kvType,
    Optional<KvPlace> kvPlace,
    Optional<FlashAttention> flashAttention) {

  public static final int ALL_LAYERS = -1;

  /** Nothing wanted. */
  public static final EngineOptions NONE =
      new EngineOptions(
          OptionalInt.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty());

  /** Of a number in the KV cache. */
  public enum KvType {
    F16,
    Q8_0
  }

  /** Where the KV cache lies. */
  public enum KvPlace {
    /** With the layers that are on a GPU. */
    GPU,
    /** In main memory. */
    HOST
  }

  /** Attention without writing its matrix to memory. */
  public enum FlashAttention {
    AUTO,
    ON,
    OFF
  }

  /**
   * @throws IllegalArgumentException if a value is out of range; the message is one sentence
   */
  public EngineOptions {
    require("threads", threads, 1, 1024);
    require("batch-threads", batchThreads, 1, 1024);
    require("batch", batchTokens, 32, 8192);
    require("gpu-layers", gpuLayers, ALL_LAYERS, 10_000);
    require("main-gpu", mainGpu, 0, 64);
  }

  /**
   * As a node grants them: no more threads and layers on the GPU than its owner allows; of the rest
   * the owner's word counts where the model has none and it does not contradict the model's.
   * Without the owner's word a model gets every logical processor but one at most.
   *
   * <p>llama.cpp's threads wait by spinning, so that a processor taken by anything else stalls them
   * all: one stays free. A token needs memory more than arithmetic, so that the second thread of a
   * core adds nothing; prompts are arithmetic and get it. GPUs are left to the engine, which uses
   * what its library can.
   */
  EngineOptions on(Cpu cpu, NodeOptions owner) {
    int allButOne = Math.max(1, cpu.logicalCores() - 1);
    int cores = cpu.physicalCores() == 0 ? allButOne : Math.min(cpu.physicalCores(), allButOne);
    int most = owner.threads().orElse(allButOne);
    boolean contradict =
        contradict(kvType.or(owner::kvType), flashAttention.or(owner::flashAttention));
    return new EngineOptions(
        OptionalInt.of(Math.min(most, threads.orElse(owner.threads().orElse(cores)))),
        OptionalInt.of(Math.min(most, batchThreads.orElse(most))),
        batchTokens,
        fewer(gpuLayers, owner.gpuLayers()),
        mainGpu,
        contradict ? kvType : kvType.or(owner::kvType),
        kvPlace,
        contradict ? flashAttention : flashAttention.or(owner::flashAttention));
  }

  /** Whether q8_0 would come without the flash attention it needs. */
  static boolean contradict(Optional<KvType> kvType, Optional<FlashAttention> flashAttention) {
    return kvType.equals(Optional.of(KvType.Q8_0))
        && flashAttention.equals(Optional.of(FlashAttention.OFF));
  }

  private static OptionalInt fewer(OptionalInt wanted, OptionalInt allowed) {
    if (wanted.isEmpty() || allowed.isEmpty()) {
      return wanted.isEmpty() ? allowed : wanted;
    }
    // As unsigned numbers, all is the most.
    return Integer.compareUnsigned(wanted.getAsInt(), allowed.getAsInt()) < 0 ? wanted : allowed;
  }

  /** As an engine's command line takes them. */
  List<String> flags() {
    List<String> flags = new ArrayList<>();
    add(flags, "--threads", threads);
    add(flags, "--batch-threads", batchThreads);
    add(flags, "--batch", batchTokens);
    add(flags, "--gpu-layers", gpuLayers);
    add(flags, "--main-gpu", mainGpu);
    add(flags, "--kv-type", kvType);
    add(flags, "--kv-on", kvPlace);
    add(flags, "--flash-attention", flashAttention);
    return flags;
  }

  private static void add(List<String> flags, String name, OptionalInt value) {
    value.ifPresent(number -> flags.addAll(List.of(name, String.valueOf(number))));
  }

  private static void add(List<String> flags, String name, Optional<? extends Enum<?>> value) {
    value.ifPresent(choice -> flags.addAll(List.of(name, choice.name().toLowerCase(Locale.ROOT))));
  }

  static void require(String name, OptionalInt value, int least, int most) {
    if (value.isPresent() && (value.getAsInt() < least || value.getAsInt() > most)) {
      throw new IllegalArgumentException(
          "%s: %d (expected: %d to %d)".formatted(name, value.getAsInt(), least, most));
    }
  }
}
