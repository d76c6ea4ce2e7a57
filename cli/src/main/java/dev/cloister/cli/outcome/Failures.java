package dev.cloister.cli.outcome;

import dev.cloister.client.CloisterException;
import dev.cloister.coordinator.CoordinatorStartException;
import dev.cloister.coordinator.store.StoreException;
import dev.cloister.engine.library.LibraryInstallException;
import dev.cloister.identity.PrivateFileException;
import dev.cloister.identity.enrollment.EnrollmentException;
import dev.cloister.identity.token.InvalidJoinTokenException;
import java.io.UncheckedIOException;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what went wrong into one sentence on standard error and an exit code. */
public final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {
  private static final Logger log = LoggerFactory.getLogger(Failures.class);

  @Override
  public int handleExecutionException(Exception failure, CommandLine command, ParseResult parsed) {
    log.debug("the command failed", failure);
    command.getErr().println("cloister: " + sentence(failure));
    return exitCode(failure);
  }

  private static @Nullable String sentence(Exception failure) {
    return switch (failure) {
      case CommandFailedException e -> e.getMessage();
      case CloisterException e -> e.getMessage();
      case CoordinatorStartException e -> e.getMessage();
      case StoreException e -> e.getMessage();
      case EnrollmentException e -> e.getMessage();
      case InvalidJoinTokenException e -> e.getMessage();
      case PrivateFileException e -> e.getMessage();
      case LibraryInstallException e -> e.getMessage();
      case CancellationException e -> "interrupted";
      case UncheckedIOException e ->
          e.getMessage() + (e.getCause() == null ? "" : " (" + e.getCause().getMessage() + ")");
      default ->
          "an unexpected error occurred: "
              + failure
              + "; run it again with CLOISTER_LOG=debug to see where";
    };
  }

  private static int exitCode(Exception failure) {
    return switch (failure) {
      case CommandFailedException e -> e.exitCode();
      case CloisterException e ->
          switch (e.kind()) {
            case INVALID_REQUEST -> ExitCode.USAGE;
            case NOT_FOUND -> ExitCode.NOT_FOUND;
            case NOT_ALLOWED -> ExitCode.NOT_ALLOWED;
            case UNREACHABLE -> ExitCode.UNREACHABLE;
            case NO_CAPACITY -> ExitCode.NO_CAPACITY;
            case TIMED_OUT -> ExitCode.TIMED_OUT;
            case NODE_LOST, INTERNAL -> ExitCode.GENERAL;
          };
      case EnrollmentException e ->
          switch (e.reason()) {
            case REFUSED, WRONG_COORDINATOR -> ExitCode.NOT_ALLOWED;
            case UNREACHABLE -> ExitCode.UNREACHABLE;
          };
      case LibraryInstallException e ->
          switch (e.reason()) {
            case NOT_FOUND -> ExitCode.NOT_FOUND;
            case UNREACHABLE -> ExitCode.UNREACHABLE;
            case TIMED_OUT -> ExitCode.TIMED_OUT;
            case REFUSED, CACHE, INTERRUPTED -> ExitCode.GENERAL;
          };
      case InvalidJoinTokenException e -> ExitCode.USAGE;
      case PrivateFileException e -> ExitCode.NOT_ALLOWED;
      default -> ExitCode.GENERAL;
    };
  }

  @Override
  public int handleParseException(ParameterException failure, String[] arguments) {
    CommandLine command = failure.getCommandLine();
    command.getErr().println("cloister: " + failure.getMessage());
    if (!UnmatchedArgumentException.printSuggestions(failure, command.getErr())) {
      command.getErr().println("See: " + command.getCommandSpec().qualifiedName() + " --help");
    }
    return ExitCode.USAGE;
  }
}
