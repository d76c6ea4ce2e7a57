package dev.cloister.coordinator.api.wire;

import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.catalog.ModelOptions.FlashAttention;
import dev.cloister.coordinator.catalog.ModelOptions.KvPlace;
import dev.cloister.coordinator.catalog.ModelOptions.KvType;
import dev.cloister.proto.agent.v1.EngineOptions;
import java.util.Optional;
import java.util.OptionalInt;

/** How models are run, between the wire and the domain. */
public final class WireOptions {
  private WireOptions() {}

  public static dev.cloister.proto.catalog.v1.ModelOptions toWire(ModelOptions options) {
    var wire = dev.cloister.proto.catalog.v1.ModelOptions.newBuilder().setEngine(engine(options));
    options.contextTokens().ifPresent(wire::setContextTokens);
    options.slots().ifPresent(wire::setSlots);
    options
        .split()
        .ifPresent(stages -> wire.getSplitBuilder().setStages(stages).setForce(options.force()));
    return wire.build();
  }

  /** All but the context and the slots. */
  public static EngineOptions engine(ModelOptions options) {
    EngineOptions.Builder wire = EngineOptions.newBuilder();
    options.threads().ifPresent(wire::setThreads);
    options.batchThreads().ifPresent(wire::setBatchThreads);
    options.batchTokens().ifPresent(wire::setBatchTokens);
    options.gpuLayers().ifPresent(wire::setGpuLayers);
    options.mainGpu().ifPresent(wire::setMainGpu);
    options.kvType().ifPresent(type -> wire.setKvType(toWire(type)));
    options.kvPlace().ifPresent(place -> wire.setKvOnHost(place == KvPlace.HOST));
    options.flashAttention().ifPresent(flash -> wire.setFlashAttention(toWire(flash)));
    return wire.build();
  }

  private static EngineOptions.KvType toWire(KvType type) {
    return switch (type) {
      case F16 -> EngineOptions.KvType.KV_TYPE_F16;
      case Q8_0 -> EngineOptions.KvType.KV_TYPE_Q8_0;
    };
  }

  private static EngineOptions.FlashAttention toWire(FlashAttention flash) {
    return switch (flash) {
      case AUTO -> EngineOptions.FlashAttention.FLASH_ATTENTION_AUTO;
      case ON -> EngineOptions.FlashAttention.FLASH_ATTENTION_ON;
      case OFF -> EngineOptions.FlashAttention.FLASH_ATTENTION_OFF;
    };
  }

  /**
   * @throws IllegalArgumentException if a value is out of range, or of a newer version
   */
  public static ModelOptions fromWire(dev.cloister.proto.catalog.v1.ModelOptions wire) {
    EngineOptions engine = wire.getEngine();
    return new ModelOptions(
        number(wire.hasContextTokens(), wire.getContextTokens()),
        number(wire.hasSlots(), wire.getSlots()),
        number(engine.hasThreads(), engine.getThreads()),
        number(engine.hasBatchThreads(), engine.getBatchThreads()),
        number(engine.hasBatchTokens(), engine.getBatchTokens()),
        number(engine.hasGpuLayers(), engine.getGpuLayers()),
        number(engine.hasMainGpu(), engine.getMainGpu()),
        switch (engine.getKvType()) {
          case KV_TYPE_UNSPECIFIED -> Optional.empty();
          case KV_TYPE_F16 -> Optional.of(KvType.F16);
          case KV_TYPE_Q8_0 -> Optional.of(KvType.Q8_0);
          case UNRECOGNIZED -> throw unknown("kv-type", engine.getKvTypeValue(), "f16, q8_0");
        },
        engine.hasKvOnHost()
            ? Optional.of(engine.getKvOnHost() ? KvPlace.HOST : KvPlace.GPU)
            : Optional.empty(),
        switch (engine.getFlashAttention()) {
          case FLASH_ATTENTION_UNSPECIFIED -> Optional.empty();
          case FLASH_ATTENTION_AUTO -> Optional.of(FlashAttention.AUTO);
          case FLASH_ATTENTION_ON -> Optional.of(FlashAttention.ON);
          case FLASH_ATTENTION_OFF -> Optional.of(FlashAttention.OFF);
          case UNRECOGNIZED ->
              throw unknown("flash-attention", engine.getFlashAttentionValue(), "auto, on, off");
        },
        number(wire.hasSplit(), wire.getSplit().getStages()),
        wire.getSplit().getForce());
  }

  private static OptionalInt number(boolean given, int value) {
    return given ? OptionalInt.of(value) : OptionalInt.empty();
  }

  private static IllegalArgumentException unknown(String name, int value, String expected) {
    return new IllegalArgumentException("%s: %d (expected: %s)".formatted(name, value, expected));
  }
}
