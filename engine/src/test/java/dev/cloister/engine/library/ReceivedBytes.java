package dev.cloister.engine.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;

/** Counts what was received, and insists that it only grows. */
class ReceivedBytes implements LibraryInstaller.Progress {
  final AtomicLong received = new AtomicLong();

  @Override
  public void waiting() {}

  @Override
  public void received(long bytes, long total) {
    assertThat(bytes).isBetween(received.get(), total);
    received.set(bytes);
  }

  @Override
  public void unpacking() {}
}
