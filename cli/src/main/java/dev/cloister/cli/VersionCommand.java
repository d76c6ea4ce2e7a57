package dev.cloister.cli;

import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.cli.outcome.Version;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code cloister version}. */
@Command(name = "version", description = "Show the version.", mixinStandardHelpOptions = true)
final class VersionCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() {
    if (output.json()) {
      output.print(
          spec,
          json -> {
            json.writeStartObject();
            json.writeStringField("version", Version.current());
            json.writeStringField("java", Runtime.version().toString());
            json.writeEndObject();
          });
    } else {
      spec.commandLine().getOut().println(new Version().getVersion()[0]);
    }
    return ExitCode.OK;
  }
}
