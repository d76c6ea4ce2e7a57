package dev.cloister.cli.engine;

import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.engine.library.LibraryInstaller;
import java.io.PrintWriter;

/** A line that grows on a terminal; elsewhere, where lines stay, a line every quarter. */
final class InstallProgress implements LibraryInstaller.Progress, AutoCloseable {
  private static final int WIDTH = 40;

  private final PrintWriter out;
  private final boolean terminal;
  private int shownPercent = -1;
  private boolean lineOpen;

  InstallProgress(PrintWriter out) {
    this.out = out;
    this.terminal = OutputOptions.isInteractive();
  }

  @Override
  public void waiting() {
    out.println("another cloister installs into the same directory; waiting for it");
  }

  @Override
  public void received(long bytes, long total) {
    int percent = (int) (bytes * 100 / total);
    int step = terminal ? 1 : 25;
    if (percent / step == shownPercent / step && shownPercent >= 0) {
      return;
    }
    shownPercent = percent;
    String text = "%3d %% of %s".formatted(percent, OutputOptions.size(total));
    if (terminal) {
      int done = percent * WIDTH / 100;
      out.print("\r[" + "#".repeat(done) + " ".repeat(WIDTH - done) + "] " + text);
      out.flush();
      lineOpen = true;
    } else {
      out.println("downloaded " + text.strip());
    }
  }

  @Override
  public void unpacking() {
    close();
    out.println("unpacking");
  }

  /** Ends the line, also when the download failed: what follows starts on its own. */
  @Override
  public void close() {
    if (lineOpen) {
      out.println();
      lineOpen = false;
    }
  }
}
