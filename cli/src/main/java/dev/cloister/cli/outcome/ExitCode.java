package dev.cloister.cli.outcome;

/** Exit codes of the command, as {@code docs/cli.md} lists them. */
public final class ExitCode {
  public static final int OK = 0;
  public static final int GENERAL = 1;
  public static final int USAGE = 2;
  public static final int NOT_FOUND = 3;
  public static final int NOT_ALLOWED = 4;
  public static final int UNREACHABLE = 5;
  public static final int NO_CAPACITY = 6;
  public static final int TIMED_OUT = 7;

  private ExitCode() {}
}
