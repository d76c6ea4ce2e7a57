package dev.cloister.agent.modelstore;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts one file together, from its beginning to its end, so that what is there after a break is a
 * beginning too: pieces are verified again and not fetched again. Used once, by one thread.
 */
final class StageAssembly {
  private static final Logger log = LoggerFactory.getLogger(StageAssembly.class);
  private static final int BUFFER_BYTES = 1 << 18;

  /** The second one is for what went wrong on the way. */
  private static final int ROUNDS = 2;

  private final String model;
  private final StageRecipe recipe;
  private final List<PieceSource> sources;
  private final FileChannel out;
  private final DoubleConsumer progress;
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
  private final long allBytes;
  private long done;
  private double told = -1;

  /** Of the piece at hand: how much of it is here, and the digest of that. */
  private long here;

  private MessageDigest digest = Sha256.begin();

  /**
   * @param sources in the order to ask them; the last one has everything
   * @param out holds nothing, or what an assembly of the same recipe left; may be read too
   */
  StageAssembly(
      String model,
      StageRecipe recipe,
      List<PieceSource> sources,
      FileChannel out,
      DoubleConsumer progress) {
    this.model = model;
    this.recipe = recipe;
    this.sources = new ArrayList<>(sources);
    this.out = out;
    this.progress = progress;
    this.allBytes = recipe.writtenBytes();
  }

  /**
   * @throws CorruptModelException if a piece arrived wrong again and again
   */
  void run() throws IOException {
    long position = 0;
    tell(0);
    for (StageRecipe.Part part : recipe.parts()) {
      switch (part) {
        case StageRecipe.Own own -> {
          write(ByteBuffer.wrap(own.bytes()), position);
          tell(own.length());
        }
        case StageRecipe.Piece piece -> obtain(piece, position);
        // A hole in the file, unless it ends with it.
        case StageRecipe.Zeros zeros -> extend(position + zeros.length());
      }
      position += part.length();
    }
  }

  private void extend(long end) throws IOException {
    if (out.size() < end) {
      write(ByteBuffer.allocate(1), end - 1);
    }
  }

  private void obtain(StageRecipe.Piece piece, long position) throws IOException {
    digest = Sha256.begin();
    here = 0;
    verifyAgain(piece, position);
    IOException failure = new IOException("there is nobody to fetch it from");
    for (int round = 0; round < ROUNDS; round++) {
      for (PieceSource source : List.copyOf(sources)) {
        try {
          if (here < piece.length()) {
            receive(source, piece, position);
          }
          if (isComplete(piece)) {
            return;
          }
          failure =
              new CorruptModelException("what arrived is not of the model: its SHA-256 differs");
        } catch (NoSuchFileException e) {
          log.debug("a piece is not here: {}", e.getMessage());
          continue;
        } catch (IOException e) {
          requireNotInterrupted();
          failure = e;
        }
        log.warn(
            "a piece of model {} did not arrive and is asked for again: {}",
            model,
            failure.getMessage());
        if (!source.equals(sources.getLast())) {
          sources.remove(source);
        }
      }
    }
    throw failure;
  }

  /** Takes in what an earlier assembly left of a piece. */
  private void verifyAgain(StageRecipe.Piece piece, long position) throws IOException {
    long left = Math.min(piece.length(), out.size() - position);
    while (here < left) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), left - here));
      int read = out.read(buffer, position + here);
      if (read < 0) {
        throw new EOFException("the file became shorter while it was read");
      }
      digest.update(buffer.flip());
      here += read;
      tell(read);
    }
  }

  private void receive(PieceSource source, StageRecipe.Piece piece, long position)
      throws IOException {
    try (InputStream in = source.open(model, piece, here)) {
      while (here < piece.length()) {
        requireNotInterrupted();
        int wanted = (int) Math.min(buffer.capacity(), piece.length() - here);
        int read = in.read(buffer.array(), 0, wanted);
        if (read < 0) {
          throw new EOFException(
              "the transfer of a piece ended at %d of %d bytes".formatted(here, piece.length()));
        }
        write(buffer.clear().limit(read), position + here);
        digest.update(buffer.rewind());
        here += read;
        tell(read);
      }
    }
  }

  /** Whether the piece is here and right; if it is wrong, it is begun anew. */
  private boolean isComplete(StageRecipe.Piece piece) {
    if (Sha256.end(digest).equals(piece.sha256())) {
      return true;
    }
    done -= here;
    here = 0;
    return false;
  }

  private void write(ByteBuffer bytes, long position) throws IOException {
    for (long at = position; bytes.hasRemaining(); ) {
      at += out.write(bytes, at);
    }
  }

  private void tell(long more) {
    done += more;
    double share = done / (double) allBytes;
    if (share > told) {
      told = share;
      progress.accept(share);
    }
  }

  private static void requireNotInterrupted() throws InterruptedIOException {
    if (Thread.currentThread().isInterrupted()) {
      throw new InterruptedIOException("the fetch was called off");
    }
  }
}
