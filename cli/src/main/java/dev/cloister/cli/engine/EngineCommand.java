package dev.cloister.cli.engine;

import dev.cloister.cli.argument.LibraryCacheOptions;
import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.cli.process.Shutdown;
import dev.cloister.engine.library.Backend;
import dev.cloister.engine.library.InstalledLibraries;
import dev.cloister.engine.library.InstalledLibrary;
import dev.cloister.engine.library.LibraryBuild;
import dev.cloister.engine.library.LibraryCatalog;
import dev.cloister.engine.library.LibraryInstallException;
import dev.cloister.engine.library.LibraryInstaller;
import dev.cloister.engine.library.Machine;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cloister engine}. */
@Command(
    name = "engine",
    description = "See and install the native libraries that run models on this machine.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {EngineCommand.ListLibraries.class, EngineCommand.Install.class})
public final class EngineCommand {

  /** {@code cloister engine list}. */
  @Command(
      name = "list",
      description = "List the libraries for this machine, which are installed and which is used.",
      mixinStandardHelpOptions = true,
      sortOptions = false)
  static final class ListLibraries implements Callable<Integer> {
    private final LibraryCatalog catalog;
    private final Machine machine;

    @Spec private CommandSpec spec;
    @Mixin private LibraryCacheOptions cache;
    @Mixin private OutputOptions output;

    @Option(
        names = "--verify",
        description = "Compare every installed file with its digest, which takes a while.")
    private boolean verify;

    ListLibraries() {
      this(LibraryCatalog.pinned(), Machine.current());
    }

    ListLibraries(LibraryCatalog catalog, Machine machine) {
      this.catalog = catalog;
      this.machine = machine;
    }

    @Override
    public Integer call() throws IOException {
      EngineTable table =
          EngineTable.of(catalog, machine, InstalledLibraries.in(cache.directory()), verify);
      if (output.json()) {
        output.print(spec, table::write);
      } else {
        table.print(spec.commandLine().getOut());
      }
      return table.isSound() ? ExitCode.OK : ExitCode.GENERAL;
    }
  }

  /** {@code cloister engine install}. */
  @Command(
      name = "install",
      description = {
        "Fetch llama.cpp from an npm registry, checked against digests that are part of Cloister.",
        "Engines started from then on use it."
      },
      mixinStandardHelpOptions = true,
      sortOptions = false,
      footer = {
        "",
        "Examples:",
        "  cloister engine install llama.cpp",
        "  cloister engine install llama.cpp --backend vulkan",
        "  cloister engine install llama.cpp --registry https://npm.company.example"
      })
  static final class Install implements Callable<Integer> {
    private final LibraryCatalog catalog;
    private final Machine machine;

    @Spec private CommandSpec spec;
    @Mixin private LibraryCacheOptions cache;
    @Mixin private OutputOptions output;

    @Parameters(paramLabel = "LIBRARY", description = "llama.cpp")
    private String library;

    @Option(
        names = "--backend",
        paramLabel = "BACKEND",
        description = {
          "cpu, cuda, vulkan or metal (default: cuda or metal where this machine",
          "can run it, else cpu)."
        })
    private @Nullable Backend backend;

    @Option(
        names = "--registry",
        paramLabel = "URL",
        defaultValue = "${env:CLOISTER_NPM_REGISTRY}",
        description = "The npm registry (default: CLOISTER_NPM_REGISTRY, else the public one).")
    private @Nullable URI registry;

    Install() {
      this(LibraryCatalog.pinned(), Machine.current());
    }

    Install(LibraryCatalog catalog, Machine machine) {
      this.catalog = catalog;
      this.machine = machine;
    }

    @Override
    public Integer call() throws LibraryInstallException {
      LibraryBuild build = build();
      try (LibraryInstaller installer = installer();
          InstallProgress progress = new InstallProgress(spec.commandLine().getErr())) {
        Shutdown.closeAtExit(installer);
        report(installer.install(build, progress));
      }
      machine
          .obstacle(build.backend())
          .ifPresent(
              obstacle ->
                  spec.commandLine()
                      .getErr()
                      .println("it is not used yet: " + build.backend().id() + " " + obstacle));
      return ExitCode.OK;
    }

    private LibraryBuild build() {
      if (!library.equals("llama.cpp")) {
        throw new CommandFailedException(
            ExitCode.USAGE, "library: %s (expected: llama.cpp)".formatted(library));
      }
      Backend wanted = backend == null ? machine.preferred() : backend;
      return catalog
          .find(machine.platform(), wanted)
          .orElseThrow(
              () ->
                  new CommandFailedException(
                      ExitCode.NOT_FOUND,
                      "there is no llama.cpp for %s on %s to install (there is: %s); models run on"
                              .formatted(wanted.id(), machine.platform(), available())
                          + " the library that comes with Cloister"));
    }

    private String available() {
      List<LibraryBuild> builds = catalog.builds(machine.platform());
      return builds.isEmpty()
          ? "none"
          : builds.stream().map(build -> build.backend().id()).collect(Collectors.joining(", "));
    }

    private LibraryInstaller installer() {
      try {
        return new LibraryInstaller(
            registry == null || registry.toString().isBlank()
                ? LibraryInstaller.PUBLIC_REGISTRY
                : registry,
            cache.directory());
      } catch (IllegalArgumentException e) {
        throw new CommandFailedException(ExitCode.USAGE, String.valueOf(e.getMessage()));
      }
    }

    private void report(LibraryInstaller.Outcome outcome) {
      InstalledLibrary installed = outcome.library();
      if (output.json()) {
        output.print(
            spec,
            json -> {
              json.writeStartObject();
              json.writeStringField("library", "llama.cpp");
              json.writeStringField("version", installed.version());
              json.writeStringField("backend", installed.backend().id());
              json.writeStringField("path", installed.folder().toString());
              json.writeNumberField("size_bytes", installed.bytes());
              json.writeBooleanField("fresh", outcome.fresh());
              json.writeEndObject();
            });
      } else {
        spec.commandLine()
            .getOut()
            .println(
                "%s %s: %s (%s)"
                    .formatted(
                        installed,
                        outcome.fresh() ? "installed" : "is already installed",
                        installed.folder(),
                        OutputOptions.size(installed.bytes())));
      }
    }
  }
}
