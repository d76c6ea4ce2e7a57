package dev.cloister.agent.supervisor;

import java.io.IOException;
import java.util.OptionalLong;

/** The main memory that engines may take together. Thread-safe. */
final class MemoryBudget {
  private final OptionalLong limitBytes;
  private long takenBytes;

  /**
   * @param limitBytes empty where the machine's owner has not set one
   */
  MemoryBudget(OptionalLong limitBytes) {
    this.limitBytes = limitBytes;
  }

  /** A part of the memory; closing it gives it back. */
  interface Share extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Takes what an engine is predicted to need.
   *
   * @throws IOException if that is more than is left; the message is one sentence
   */
  synchronized Share take(long bytes) throws IOException {
    if (limitBytes.isPresent() && bytes > limitBytes.getAsLong() - takenBytes) {
      throw new IOException(
          "it needs %d MiB of memory and this machine's owner allows models %d MiB, of which %d"
                  .formatted(mebibytes(bytes), limitBytes.getAsLong() >> 20, takenBytes >> 20)
              + " MiB are taken; raise --memory-limit there, or split the model over more nodes");
    }
    takenBytes += bytes;
    return new Share() {
      private boolean closed;

      @Override
      public void close() {
        synchronized (MemoryBudget.this) {
          takenBytes -= closed ? 0 : bytes;
          closed = true;
        }
      }
    };
  }

  private static long mebibytes(long bytes) {
    return (bytes + (1 << 20) - 1) >> 20;
  }
}
