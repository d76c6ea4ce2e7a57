package dev.cloister.agent.supervisor;

import dev.cloister.agent.engine.IoThread;
import dev.cloister.agent.fingerprint.Cpu;
import dev.cloister.agent.modelstore.ModelStore;
import dev.cloister.agent.supervisor.ScriptedEngine.Mood;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * A directory in which {@link ScriptedEngine}s act, with a store that has any model of one byte.
 */
public final class EngineStage {
  /** Two threads a core. */
  static final Cpu CPU = new Cpu("cpu", 4, 8, List.of());

  private static final IoThread THREAD = new IoThread();

  /** Layers of models. */
  final StageFiles stageFiles;

  private volatile boolean gentle;
  private final Path directory;

  public EngineStage(Path directory) {
    this.directory = directory;
    this.stageFiles = new StageFiles(directory.resolve("stages"));
    mood(Mood.WELL);
  }

  /** Engines of stages from now on. */
  public void stages() {
    mood(Mood.STAGED);
  }

  void mood(Mood mood) {
    try {
      Files.writeString(directory.resolve("mood"), mood.name());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public Supervisor supervisor(StatusListener listener) {
    return supervisor(listener, directory.resolve("run"), EnginePatience.DEFAULT);
  }

  Supervisor supervisor(StatusListener listener, Path run, EnginePatience patience) {
    return supervisor(listener, run, patience, NodeOptions.DEFAULT);
  }

  /** Has engines run with low priority and few threads from now on. */
  void beGentle() {
    gentle = true;
  }

  Supervisor supervisor(
      StatusListener listener, Path run, EnginePatience patience, NodeOptions owner) {
    ModelStore store =
        new ModelStore(
            directory.resolve("models"),
            (sha256, offset) ->
                new ByteArrayInputStream(new byte[] {(byte) (sha256.equals(sha256(0)) ? 0 : 1)}));
    return new Supervisor(
        store,
        stageFiles,
        new EngineLauncher(
            ScriptedEngine.command(directory),
            run,
            directory.resolve("lib"),
            owner,
            () -> gentle,
            () -> CPU,
            new PrefixCache(directory.resolve("prefixes"), owner.prefixBytes(), store::has),
            THREAD,
            patience),
        owner.memoryLimit(),
        listener);
  }

  /** What the last engine was started with, and its value of {@code GGML_NO_BACKTRACE}. */
  public List<String> commandLine() {
    try {
      return Files.readAllLines(directory.resolve("command-line"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What the last engine was told with a flag. */
  String argument(String flag) {
    List<String> line = commandLine();
    return line.get(line.indexOf(flag) + 1);
  }

  public static ModelSpec model(String name, int content) {
    return new ModelSpec(name, sha256(content), 1, 0, 2, EngineOptions.NONE, Optional.empty(), 0);
  }

  public boolean wasCancelled() {
    return Files.exists(directory.resolve("cancelled"));
  }

  /** How many pieces of a flow the engine was asked for so far. */
  public int flowed() {
    Path flowed = directory.resolve("flowed");
    try {
      String pieces = Files.exists(flowed) ? Files.readString(flowed) : "";
      return pieces.isEmpty() ? 0 : Integer.parseInt(pieces);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Of all engines that ever started, in order. */
  List<Long> pids() {
    Path pids = directory.resolve("pids");
    try {
      return Files.exists(pids)
          ? Files.readAllLines(pids).stream().map(Long::valueOf).toList()
          : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  List<Long> alive() {
    return pids().stream()
        .filter(pid -> ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false))
        .toList();
  }

  static String sha256(int content) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(new byte[] {(byte) content}));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
