package dev.cloister.agent.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.agent.fingerprint.Cpu;
import dev.cloister.agent.supervisor.EngineOptions.FlashAttention;
import dev.cloister.agent.supervisor.EngineOptions.KvPlace;
import dev.cloister.agent.supervisor.EngineOptions.KvType;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EngineOptionsTest {
  private static final Cpu CPU = new Cpu("cpu", 4, 8, List.of());

  @ParameterizedTest
  @CsvSource({"4, 8, 4, 7", "8, 8, 7, 7", "1, 2, 1, 1", "1, 1, 1, 1", "0, 6, 5, 5"})
  void oneProcessorStaysFreeAndAnswersTakeOneThreadACore(
      int physical, int logical, int threads, int batchThreads) {
    EngineOptions granted =
        EngineOptions.NONE.on(new Cpu("cpu", physical, logical, List.of()), NodeOptions.DEFAULT);
    assertThat(granted.threads()).hasValue(threads);
    assertThat(granted.batchThreads()).hasValue(batchThreads);
    assertThat(granted.gpuLayers()).as("the engine uses what its library can").isEmpty();
  }

  @ParameterizedTest
  @CsvSource({", 3, 3, 3", "2, 3, 2, 3", "6, 3, 3, 3", "6, , 6, 7", "99, , 7, 7", ", 16, 16, 16"})
  void aModelGetsNoMoreThreadsThanTheOwnerAllows(
      @Nullable Integer model, @Nullable Integer owner, int threads, int batchThreads) {
    EngineOptions granted =
        model(number(model), OptionalInt.empty()).on(CPU, owner(number(owner), number(null)));
    assertThat(granted.threads()).hasValue(threads);
    assertThat(granted.batchThreads()).hasValue(batchThreads);
  }

  @ParameterizedTest
  @CsvSource({", ,", "-1, , -1", ", 0, 0", "-1, 20, 20", "10, -1, 10", "10, 20, 10", "30, 20, 20"})
  void aModelGetsNoMoreLayersOnTheGpuThanTheOwnerAllows(
      @Nullable Integer model, @Nullable Integer owner, @Nullable Integer layers) {
    assertThat(
            model(number(null), number(model))
                .on(CPU, owner(number(null), number(owner)))
                .gpuLayers())
        .isEqualTo(number(layers));
  }

  @Test
  void howAModelComputesIsItsOwnChoiceFirst() {
    NodeOptions owner = owner(KvType.Q8_0, FlashAttention.AUTO);
    EngineOptions silent = EngineOptions.NONE.on(CPU, owner);
    assertThat(silent.kvType()).hasValue(KvType.Q8_0);
    assertThat(silent.flashAttention()).hasValue(FlashAttention.AUTO);

    EngineOptions granted = everything().on(CPU, owner);
    assertThat(granted.kvType()).hasValue(KvType.F16);
    assertThat(granted.flashAttention()).hasValue(FlashAttention.ON);
  }

  @Test
  void anOwnerWhoContradictsTheModelYields() {
    EngineOptions quantized = model(Optional.of(KvType.Q8_0), Optional.empty());
    assertThat(quantized.on(CPU, owner(KvType.F16, FlashAttention.OFF)).flashAttention()).isEmpty();
    EngineOptions plain = model(Optional.empty(), Optional.of(FlashAttention.OFF));
    assertThat(plain.on(CPU, owner(KvType.Q8_0, FlashAttention.AUTO)).kvType()).isEmpty();
    assertThatThrownBy(() -> owner(KvType.Q8_0, FlashAttention.OFF))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("kv-type q8_0 needs flash attention, which is turned off; leave it to auto");
  }

  @Test
  void anEngineIsToldAllOfThem() {
    assertThat(everything().flags())
        .containsExactly(
            "--threads",
            "1",
            "--batch-threads",
            "2",
            "--batch",
            "64",
            "--gpu-layers",
            "-1",
            "--main-gpu",
            "1",
            "--kv-type",
            "f16",
            "--kv-on",
            "host",
            "--flash-attention",
            "on");
    assertThat(EngineOptions.NONE.flags()).isEmpty();
  }

  @Test
  void whatIsOutOfRangeIsRefusedInOneSentence() {
    assertThatThrownBy(() -> model(number(0), number(null)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("threads: 0 (expected: 1 to 1024)");
    assertThatThrownBy(() -> owner(number(null), number(-2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("gpu-layers: -2 (expected: -1 to 10000)");
  }

  private static EngineOptions everything() {
    return new EngineOptions(
        number(1),
        number(2),
        number(64),
        number(-1),
        number(1),
        Optional.of(KvType.F16),
        Optional.of(KvPlace.HOST),
        Optional.of(FlashAttention.ON));
  }

  private static EngineOptions model(
      Optional<KvType> kvType, Optional<FlashAttention> flashAttention) {
    return new EngineOptions(
        number(null),
        number(null),
        number(null),
        number(null),
        number(null),
        kvType,
        Optional.empty(),
        flashAttention);
  }

  private static NodeOptions owner(KvType kvType, FlashAttention flashAttention) {
    return new NodeOptions(
        number(null),
        number(null),
        Optional.of(kvType),
        Optional.of(flashAttention),
        0,
        OptionalLong.empty());
  }

  private static EngineOptions model(OptionalInt threads, OptionalInt gpuLayers) {
    return new EngineOptions(
        threads,
        number(null),
        number(null),
        gpuLayers,
        number(null),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  private static NodeOptions owner(OptionalInt threads, OptionalInt gpuLayers) {
    return new NodeOptions(
        threads, gpuLayers, Optional.empty(), Optional.empty(), 0, OptionalLong.empty());
  }

  private static OptionalInt number(@Nullable Integer value) {
    return value == null ? OptionalInt.empty() : OptionalInt.of(value);
  }
}
