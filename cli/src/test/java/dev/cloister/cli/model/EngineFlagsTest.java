package dev.cloister.cli.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.agent.supervisor.EngineOptions;
import dev.cloister.agent.supervisor.NodeOptions;
import dev.cloister.cli.Cli;
import dev.cloister.cli.member.NodeFlags;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.client.ModelInfo.Options;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class EngineFlagsTest {
  @Test
  void anOwnerWhoSaysNothingLeavesItToTheAgent() {
    assertThat(owner()).isEqualTo(NodeOptions.DEFAULT);
  }

  @Test
  void whatAnOwnerSaysIsTaken() {
    assertThat(
            owner(
                "--threads=2",
                "--gpu-layers=all",
                "--kv-type=q8_0",
                "--flash-attention=on",
                "--prefix-cache-size=3GiB",
                "--memory-limit=1500MiB"))
        .isEqualTo(
            new NodeOptions(
                OptionalInt.of(2),
                OptionalInt.of(EngineOptions.ALL_LAYERS),
                Optional.of(EngineOptions.KvType.Q8_0),
                Optional.of(EngineOptions.FlashAttention.ON),
                3L << 30,
                OptionalLong.of(1500L << 20)));
    assertThat(owner("--prefix-cache-size=0").prefixBytes()).isZero();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--threads=0 | --threads: 0 (expected: 1 to 1024)",
        "--gpu-layers=some | 'some' is no number of layers (expected: all, or 0 to 10000)",
        "--kv-type=q4 | expected one of [F16, Q8_0]",
        "--memory-limit=0 | --memory-limit: 0 (expected: for example 4GiB)",
        "--prefix-cache-size=3GB | '3GB' is no size (expected: for example 512MiB, 2GiB, or 0)"
      })
  void aFlagOfAnOwnerThatIsWrongIsNamed(String flag, String message) {
    assertThatThrownBy(() -> owner(flag)).hasMessageContaining(message);
    Cli.Result result = Cli.run("agent", "start", flag);
    assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(result.err()).contains(message);
  }

  @Test
  void flagsOfAnOwnerThatContradictEachOtherAreRefused() {
    Cli.Result result = Cli.run("agent", "start", "--kv-type=q8_0", "--flash-attention=off");
    assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(result.err())
        .isEqualToIgnoringNewLines(
            "cloister: --kv-type q8_0 needs flash attention, which is turned off; leave it to"
                + " auto");
  }

  @Test
  void theHelpSaysThatPromptsAreKept() {
    assertThat(Cli.run("agent", "start", "--help").out())
        .contains("--prefix-cache-size", "They are what was asked");
  }

  @Test
  void whatIsSaidOfAModelIsShownAsItsFlags() {
    ModelFlags flags = new ModelFlags();
    new CommandLine(flags)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .parseArgs(
            "--context=512",
            "--slots=2",
            "--threads=3",
            "--batch-threads=4",
            "--batch=64",
            "--gpu-layers=all",
            "--main-gpu=0",
            "--kv-type=q8_0",
            "--kv-on=host",
            "--flash-attention=on");
    Options options = flags.options();
    assertThat(options.gpuLayers()).hasValue(Options.ALL_LAYERS);
    assertThat(ModelFlags.shown(options).toString())
        .isEqualTo(
            "{context=512, slots=2, threads=3, batch-threads=4, batch=64, gpu-layers=all,"
                + " main-gpu=0, kv-type=q8_0, kv-on=host, flash-attention=on}");
    assertThat(ModelFlags.shown(Options.NONE)).isEmpty();
  }

  private static NodeOptions owner(String... arguments) {
    NodeFlags flags = new NodeFlags();
    new CommandLine(flags).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(arguments);
    return flags.options();
  }
}
