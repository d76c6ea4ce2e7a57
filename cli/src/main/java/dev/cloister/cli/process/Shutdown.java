package dev.cloister.cli.process;

import java.util.concurrent.CountDownLatch;

/** Has a long-running command stay until it is told to end, and then close in good order. */
public final class Shutdown {
  private Shutdown() {}

  /** Closes {@code part} when the process is asked to end (Ctrl-C, SIGTERM). */
  public static void closeAtExit(AutoCloseable part) {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  try {
                    part.close();
                  } catch (Exception e) {
                    System.err.println("cloister: closing failed: " + e.getMessage());
                  }
                },
                "shutdown"));
  }

  /** Never returns: the process ends by its shutdown hooks. */
  public static void awaitForever() throws InterruptedException {
    new CountDownLatch(1).await();
  }
}
