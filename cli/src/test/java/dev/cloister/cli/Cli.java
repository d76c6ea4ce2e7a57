package dev.cloister.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import picocli.CommandLine;

/** Runs commands in the test's own process: for those that end by themselves. */
public final class Cli {
  /** The checkout: where the demo model lies as in an installation. */
  static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();

  private Cli() {}

  /** What a command said and how it ended. */
  public record Result(int exitCode, String out, String err) {}

  public static Result run(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine line =
        Main.commandLine(arguments)
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true));
    int exitCode = line.execute(arguments);
    return new Result(exitCode, out.toString(), err.toString());
  }
}
