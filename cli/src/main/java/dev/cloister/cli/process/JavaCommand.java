package dev.cloister.cli.process;

import dev.cloister.cli.argument.Directories;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** How this program starts another Java process of its own kind. */
public final class JavaCommand {
  /**
   * Weights and states are not on the heap. It holds requests and frames, and is kept small: what a
   * node has is for models, and what an engine takes is to be known beforehand. With the default
   * collector the same work took 25 MiB more, and not always as much. What an engine does for each
   * token is compiled after some twenty of them rather than two hundred.
   */
  private static final List<String> ENGINE =
      List.of("-XX:+UseSerialGC", "-Xms24m", "-Xmn8m", "-Xmx1g", "-XX:CompileThresholdScaling=0.1");

  /** Compiling at the highest level pays off after minutes; most of it is wanted now. */
  private static final String WANTED_NOW = "-XX:TieredStopAtLevel=1";

  private JavaCommand() {}

  /** The command line of an engine process, without the engine's own flags. */
  public static List<String> engine(String logLevel) {
    List<String> command = of("dev.cloister.engine.EngineMain", logLevel);
    command.addAll(1, ENGINE);
    return command;
  }

  /**
   * The command line of {@code cloister} for what runs for days, as an installation starts
   * coordinators and agents.
   */
  public static List<String> longRunning(String logLevel) {
    List<String> command = of("dev.cloister.cli.Main", logLevel);
    command.remove(WANTED_NOW);
    options("long-running.options").ifPresent(options -> command.add(1, options));
    return command;
  }

  /**
   * The command line of a process with this program's class path.
   *
   * @param mainClass what it runs
   * @param logLevel what it logs
   */
  public static List<String> of(String mainClass, String logLevel) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    options("jvm.options").ifPresent(command::add);
    command.add(WANTED_NOW);
    for (String property : List.of("cloister.install", "cloister.aot")) {
      if (System.getProperty(property) != null) {
        command.add("-D" + property + "=" + System.getProperty(property));
      }
    }
    if (System.getProperty("cloister.aot") != null) {
      command.add("-XX:AOTCache=" + System.getProperty("cloister.aot"));
    }
    command.add("-Dcloister.log=" + logLevel);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(mainClass);
    return command;
  }

  /** Has the JVM read a file of options that comes with the program. */
  private static Optional<String> options(String name) {
    return Directories.installation()
        .map(directory -> directory.resolve("lib").resolve(name))
        .filter(Files::exists)
        .map(file -> "@" + file);
  }
}
