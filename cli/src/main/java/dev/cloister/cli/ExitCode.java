package dev.cloister.cli;

/** Exit codes of the command, as {@code docs/cli.md} lists them. */
final class ExitCode {
  static final int OK = 0;
  static final int GENERAL = 1;
  static final int USAGE = 2;
  static final int NOT_FOUND = 3;
  static final int NOT_ALLOWED = 4;
  static final int UNREACHABLE = 5;
  static final int NO_CAPACITY = 6;
  static final int TIMED_OUT = 7;

  private ExitCode() {}
}
