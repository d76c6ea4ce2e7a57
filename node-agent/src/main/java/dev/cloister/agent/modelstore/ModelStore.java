package dev.cloister.agent.modelstore;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.DoubleConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps model files in one directory, each named after its SHA-256. A file is there under its name
 * only once it was verified; what is still arriving is named {@code .part} and is continued after a
 * break.
 *
 * <p>Thread-safe; fetches run one after the other, since they share one network.
 */
public final class ModelStore {
  private static final Logger log = LoggerFactory.getLogger(ModelStore.class);

  /** Left free on the volume: a full disk harms the machine's owner. */
  static final long RESERVED_BYTES = 512L << 20;

  private final Path directory;
  private final ModelSource source;
  private final FreeSpace space;
  private final ReentrantLock fetching = new ReentrantLock();

  /**
   * @param directory made at the first fetch
   */
  public ModelStore(Path directory, ModelSource source) {
    this(directory, source, DiskLimit.NONE);
  }

  /**
   * @param directory made at the first fetch
   * @param limit of what models take on this machine
   */
  public ModelStore(Path directory, ModelSource source, DiskLimit limit) {
    this(directory, source, limit.space(directory));
  }

  ModelStore(Path directory, ModelSource source, FreeSpace space) {
    this.directory = directory;
    this.source = source;
    this.space = space;
  }

  /**
   * The file of this digest; fetched if it is not here yet.
   *
   * @param sha256 64 lower-case hexadecimal digits
   * @param progress is told how much is here, 0 to 1, if it has to be fetched
   * @throws IOException if it cannot be fetched now, or the thread was interrupted; the message is
   *     one sentence
   * @throws CorruptModelException if what arrived has another digest; it was deleted
   */
  public Path obtain(String sha256, long sizeBytes, DoubleConsumer progress) throws IOException {
    Path file = file(sha256);
    if (isHere(file, sizeBytes)) {
      // Without waiting for the fetch of another model.
      return file;
    }
    try {
      fetching.lockInterruptibly();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("the fetch was called off");
    }
    try {
      if (!isHere(file, sizeBytes)) {
        Files.createDirectories(directory);
        fetch(sha256, sizeBytes, file, progress);
      }
      return file;
    } finally {
      fetching.unlock();
    }
  }

  /** Whether the file of this digest is here. */
  public boolean has(String sha256) {
    return Files.exists(directory.resolve(sha256 + ".gguf"));
  }

  /** The file of this digest, if it is here. */
  Optional<Path> find(String sha256) {
    return Optional.of(file(sha256)).filter(Files::exists);
  }

  private Path file(String sha256) {
    return directory.resolve(Sha256.require(sha256) + ".gguf");
  }

  /** A file of another size was damaged after it was verified; it is fetched again. */
  private static boolean isHere(Path file, long sizeBytes) throws IOException {
    return Files.exists(file) && Files.size(file) == sizeBytes;
  }

  private void fetch(String sha256, long sizeBytes, Path file, DoubleConsumer progress)
      throws IOException {
    Path part = directory.resolve(sha256 + ".part");
    long offset = Files.exists(part) ? Files.size(part) : 0;
    if (offset > sizeBytes) {
      Files.delete(part);
      offset = 0;
    }
    long free = space.bytes();
    if (free < sizeBytes - offset + RESERVED_BYTES) {
      throw new IOException(
          "the disk has "
              + (free >> 20)
              + " MiB free for models, this one needs "
              + ((sizeBytes - offset + RESERVED_BYTES) >> 20)
              + " MiB");
    }
    MessageDigest digest = Sha256.begin();
    if (offset > 0) {
      log.info("model {} is continued at {} of {} bytes", sha256, offset, sizeBytes);
      try (InputStream begun = Files.newInputStream(part)) {
        digest(begun, digest);
      }
    }
    progress.accept(share(offset, sizeBytes));
    try (FileChannel out =
        FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      if (offset < sizeBytes) {
        offset = receive(sha256, offset, sizeBytes, out, digest, progress);
      }
      // Else a power cut could leave the name without the bytes.
      out.force(true);
    }
    if (offset < sizeBytes) {
      throw new IOException("the transfer ended at " + offset + " of " + sizeBytes + " bytes");
    }
    if (offset > sizeBytes) {
      Files.delete(part);
      throw new CorruptModelException(
          "what arrived is not the model: it is longer than " + sizeBytes + " bytes");
    }
    if (!Sha256.end(digest).equals(sha256)) {
      Files.delete(part);
      throw new CorruptModelException("what arrived is not the model: its SHA-256 differs");
    }
    Files.move(part, file, ATOMIC_MOVE);
    log.info("model {} is here, {} bytes", sha256, sizeBytes);
  }

  /** Returns how much is here then; stops as soon as that is more than announced. */
  private long receive(
      String sha256,
      long offset,
      long sizeBytes,
      FileChannel out,
      MessageDigest digest,
      DoubleConsumer progress)
      throws IOException {
    long here = offset;
    try (InputStream in = source.open(sha256, offset)) {
      byte[] buffer = new byte[1 << 18];
      for (int read = in.read(buffer); read >= 0 && here <= sizeBytes; read = in.read(buffer)) {
        for (ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, read); bytes.hasRemaining(); ) {
          out.write(bytes);
        }
        digest.update(buffer, 0, read);
        here += read;
        progress.accept(share(here, sizeBytes));
      }
    }
    return here;
  }

  private static double share(long here, long sizeBytes) {
    return sizeBytes == 0 ? 1 : Math.min(1, here / (double) sizeBytes);
  }

  private static void digest(InputStream in, MessageDigest digest) throws IOException {
    byte[] buffer = new byte[1 << 18];
    for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
      digest.update(buffer, 0, read);
    }
  }

  /** Bytes that may still be written to the volume. */
  @FunctionalInterface
  interface FreeSpace {
    long bytes() throws IOException;
  }
}
