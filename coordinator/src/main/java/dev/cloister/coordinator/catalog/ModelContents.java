package dev.cloister.coordinator.catalog;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What is in the catalog's files: layouts, stages, and digests of pieces, each found out when first
 * asked for and kept. Thread-safe; methods read files, and hashing a stage's pieces takes seconds
 * for each GiB the first time.
 */
public final class ModelContents {
  private static final int BUFFER_BYTES = 1 << 18;

  private final ModelFiles files;
  private final Map<String, ModelLayout> layouts = new ConcurrentHashMap<>();
  private final Map<PieceKey, String> digests = new ConcurrentHashMap<>();

  private record PieceKey(String model, StageFile.Piece piece) {}

  public ModelContents(ModelFiles files) {
    this.files = files;
  }

  /**
   * What a model consists of.
   *
   * @throws ChangedModelException if the file is gone or was changed
   * @throws IOException if it cannot be read or holds no model; the message is one sentence
   */
  public ModelLayout layout(Model model) throws IOException {
    @Nullable ModelLayout known = layouts.get(model.sha256());
    if (known != null) {
      return known;
    }
    requireUnchanged(model);
    ModelLayout layout = files.layout(model.file());
    layouts.put(model.sha256(), layout);
    return layout;
  }

  /**
   * The file of a stage.
   *
   * @throws IllegalArgumentException if the model cannot be cut there; the message is one sentence
   * @throws IOException as with {@link #layout}
   */
  public StageFile stage(Model model, int firstLayer, int endLayer) throws IOException {
    requireUnchanged(model);
    return files.stage(model.file(), firstLayer, endLayer);
  }

  /**
   * The file with the tokenizer and the embedding of tokens.
   *
   * @throws IOException as with {@link #layout}
   */
  public StageFile lexicon(Model model) throws IOException {
    requireUnchanged(model);
    return files.lexicon(model.file());
  }

  /**
   * The digest of a piece, 64 lower-case hexadecimal digits.
   *
   * @throws IOException as with {@link #layout}
   */
  public String sha256(Model model, StageFile.Piece piece) throws IOException {
    PieceKey key = new PieceKey(model.sha256(), piece);
    @Nullable String known = digests.get(key);
    if (known != null) {
      return known;
    }
    String digest = hash(model, piece);
    // What changed while it was read is no piece of the model.
    requireUnchanged(model);
    digests.put(key, digest);
    return digest;
  }

  /**
   * Checks that a model's file is the one that was added.
   *
   * @throws ChangedModelException if it is not
   */
  public static void requireUnchanged(Model model) throws IOException {
    BasicFileAttributes now;
    try {
      now = Files.readAttributes(model.file(), BasicFileAttributes.class);
    } catch (NoSuchFileException e) {
      throw new ChangedModelException(model, "is gone");
    }
    if (now.size() != model.sizeBytes()
        || !now.lastModifiedTime()
            .toInstant()
            .truncatedTo(ChronoUnit.MILLIS)
            .equals(model.modifiedAt())) {
      throw new ChangedModelException(model, "was changed");
    }
  }

  private static String hash(Model model, StageFile.Piece piece) throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
    try (FileChannel file = FileChannel.open(model.file())) {
      for (long done = 0; done < piece.length(); ) {
        buffer.clear().limit((int) Math.min(buffer.capacity(), piece.length() - done));
        int read = file.read(buffer, piece.offset() + done);
        if (read < 0) {
          throw new EOFException(model.file() + " became shorter while it was read");
        }
        digest.update(buffer.flip());
        done += read;
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
