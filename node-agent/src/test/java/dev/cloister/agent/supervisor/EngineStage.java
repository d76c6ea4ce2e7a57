package dev.cloister.agent.supervisor;

import dev.cloister.agent.modelstore.ModelStore;
import dev.cloister.agent.supervisor.ScriptedEngine.Mood;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;

/**
 * A directory in which {@link ScriptedEngine}s act, with a store that has any model of one byte.
 */
public final class EngineStage {
  private final Path directory;

  public EngineStage(Path directory) {
    this.directory = directory;
    mood(Mood.WELL);
  }

  void mood(Mood mood) {
    try {
      Files.writeString(directory.resolve("mood"), mood.name());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public Supervisor supervisor(StatusListener listener) {
    return supervisor(listener, directory.resolve("run"), Duration.ofSeconds(30));
  }

  Supervisor supervisor(StatusListener listener, Path run, Duration longestStart) {
    return new Supervisor(
        new ModelStore(
            directory.resolve("models"),
            (sha256, offset) ->
                new ByteArrayInputStream(new byte[] {(byte) (sha256.equals(sha256(0)) ? 0 : 1)})),
        new EngineLauncher(
            ScriptedEngine.command(directory), run, directory.resolve("lib"), longestStart),
        listener);
  }

  public static ModelSpec model(String name, int content) {
    return new ModelSpec(name, sha256(content), 1, 0, 2);
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

  private static String sha256(int content) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(new byte[] {(byte) content}));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
