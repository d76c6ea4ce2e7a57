package dev.cloister.agent.supervisor;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.engine.IoThread;
import dev.cloister.agent.fingerprint.Cpu;
import dev.cloister.identity.PrivateFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts engine processes. Thread-safe. */
public final class EngineLauncher implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EngineLauncher.class);

  /**
   * What a socket's path may be long: {@code sun_path} holds 104 bytes on macOS, 108 on Linux, with
   * the zero at the end.
   */
  private static final int LONGEST_SOCKET_PATH = 100;

  /** Not there on Windows. */
  private static final Path NICE = Path.of("/usr/bin/nice");

  private final List<String> command;
  private final Path runDirectory;
  private final Path libraryCache;
  private final NodeOptions owner;
  private final BooleanSupplier gentle;
  private final Supplier<Cpu> cpu;
  private final PrefixCache prefixes;
  private final IoThread thread;
  private final EnginePatience patience;
  private final AtomicLong started = new AtomicLong();
  private @Nullable Path temporary;

  /**
   * @param command what starts an engine, without its arguments: the Java launcher, its options and
   *     the main class
   * @param runDirectory for sockets; only this user may enter it
   * @param libraryCache where native libraries are unpacked
   * @param owner what the node's owner says to engines
   * @param gentle whether engines are to leave others room: low priority, half of the threads
   * @param cpu the processor; asked before each start
   * @param thread carries the connections to engines
   */
  public EngineLauncher(
      List<String> command,
      Path runDirectory,
      Path libraryCache,
      NodeOptions owner,
      BooleanSupplier gentle,
      Supplier<Cpu> cpu,
      PrefixCache prefixes,
      IoThread thread) {
    this(
        command,
        runDirectory,
        libraryCache,
        owner,
        gentle,
        cpu,
        prefixes,
        thread,
        EnginePatience.DEFAULT);
  }

  EngineLauncher(
      List<String> command,
      Path runDirectory,
      Path libraryCache,
      NodeOptions owner,
      BooleanSupplier gentle,
      Supplier<Cpu> cpu,
      PrefixCache prefixes,
      IoThread thread,
      EnginePatience patience) {
    this.gentle = gentle;
    this.thread = thread;
    this.command = List.copyOf(command);
    this.runDirectory = runDirectory;
    this.libraryCache = libraryCache;
    this.owner = owner;
    this.cpu = cpu;
    this.prefixes = prefixes;
    this.patience = patience;
  }

  /**
   * @throws IOException if the process cannot be started
   */
  EngineProcess launch(ModelSpec model, EngineFiles files) throws IOException {
    Path socket = runDirectory().resolve(started.incrementAndGet() + ".sock");
    Files.deleteIfExists(socket);
    boolean gently = gentle.getAsBoolean();
    List<String> line = new ArrayList<>(gently ? lowPriority() : List.of());
    line.addAll(command);
    line.addAll(
        List.of(
            "--model",
            files.model().toString(),
            "--socket",
            socket.toString(),
            "--library-cache",
            libraryCache.toString(),
            "--context",
            String.valueOf(model.contextTokens()),
            "--slots",
            String.valueOf(model.slots())));
    line.addAll(model.options().on(cpu.get(), gently ? owner.gently(cpu.get()) : owner).flags());
    model.stage().ifPresent(stage -> line.addAll(stage.flags()));
    files.lexicon().ifPresent(lexicon -> line.addAll(List.of("--lexicon", lexicon.toString())));
    // A stage has the state of its layers only, and no say in which prefix is used.
    Optional<PrefixCache.Loan> loan =
        model.stage().isPresent() ? Optional.empty() : prefixes.lend(model.sha256());
    loan.ifPresent(lent -> line.addAll(lent.flags()));
    Runnable closed = () -> loan.ifPresent(PrefixCache.Loan::close);
    try {
      return EngineProcess.start(model.name(), line, socket, patience, closed);
    } catch (IOException | RuntimeException e) {
      closed.run();
      throw e;
    }
  }

  /** Connects to an engine, whose process may still be loading its model. */
  EngineClient connect(Path socket) {
    return new EngineClient(socket, thread, () -> {});
  }

  /** What to put before a command. The process keeps its id: {@code nice} becomes it. */
  private static List<String> lowPriority() {
    return Files.isExecutable(NICE) ? List.of(NICE.toString(), "-n", "10") : List.of();
  }

  private synchronized Path runDirectory() throws IOException {
    if (runDirectory.resolve("999999.sock").toString().length() <= LONGEST_SOCKET_PATH) {
      PrivateFiles.createDirectory(runDirectory);
      return runDirectory;
    }
    if (temporary == null || !Files.isDirectory(temporary)) {
      temporary = Files.createTempDirectory("cloister-");
    }
    return temporary;
  }

  /** Removes what was made to hold sockets; to be called when no engine runs any more. */
  @Override
  public synchronized void close() {
    if (temporary != null) {
      try {
        Files.deleteIfExists(temporary);
        temporary = null;
      } catch (IOException e) {
        log.debug("removing {}", temporary, e);
      }
    }
  }
}
