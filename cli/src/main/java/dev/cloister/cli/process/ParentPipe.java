package dev.cloister.cli.process;

import dev.cloister.cli.outcome.ExitCode;
import java.io.IOException;
import java.io.InputStream;

/**
 * Ends this process when the one that started it ends, however it ends: its side of the pipe on
 * standard input closes with it.
 */
public final class ParentPipe {
  private ParentPipe() {}

  public static void exitWhenClosed(InputStream in) {
    Thread.ofPlatform()
        .name("parent-pipe")
        .daemon()
        .start(
            () -> {
              try {
                while (in.read() >= 0) {
                  // Nothing is said here; only the end counts.
                }
              } catch (IOException e) {
                // As good as the end.
              }
              System.exit(ExitCode.OK);
            });
  }
}
