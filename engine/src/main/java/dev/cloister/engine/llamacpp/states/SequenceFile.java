package dev.cloister.engine.llamacpp.states;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * A sequence's state in a file. llama.cpp trusts what it reads, so that nothing reaches it that is
 * not whole and from an engine of the same kind.
 *
 * <p>Layout, in the machine's byte order: eight bytes of magic; i32 length of the origin, and it in
 * UTF-8; i32 number of tokens, and they; i64 length of the state, and it; CRC-32C of all before, as
 * i32.
 */
final class SequenceFile {

  private static final long MAGIC = 0x31_51_45_53_54_53_4C_43L; // CLSTSEQ1
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final long PIECE_BYTES = 1L << 26;

  private SequenceFile() {}

  /** Fills a piece of memory with a state and returns how long it is; 0 if that failed. */
  interface StateWriter {
    long write(MemorySegment memory);
  }

  /** Takes a state over, and returns whether that went well. */
  interface StateReader {
    boolean read(MemorySegment state);
  }

  /**
   * Writes a file, all or nothing.
   *
   * @param origin equal only where states can be exchanged
   * @param stateBytes that the state has at most
   * @return its length
   */
  static long write(Path file, String origin, int[] tokens, long stateBytes, StateWriter state)
      throws IOException {
    byte[] name = origin.getBytes(StandardCharsets.UTF_8);
    long stateAt = 8L + 4 + name.length + 4 + 4L * tokens.length + 8;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(stateAt + stateBytes + 4);
      long written = state.write(memory.asSlice(stateAt, stateBytes));
      if (written == 0) {
        throw new IOException("the state of a sequence could not be read");
      }
      memory.set(LONG, 0, MAGIC);
      memory.set(INT, 8, name.length);
      MemorySegment.copy(name, 0, memory, JAVA_BYTE, 12, name.length);
      long at = 12L + name.length;
      memory.set(INT, at, tokens.length);
      MemorySegment.copy(tokens, 0, memory, INT, at + 4, tokens.length);
      memory.set(LONG, stateAt - 8, written);
      long end = stateAt + written;
      memory.set(INT, end, checksum(memory.asSlice(0, end)));
      replace(file, memory.asSlice(0, end + 4));
      return end + 4;
    }
  }

  /**
   * Reads a file.
   *
   * @return the tokens of the sequence
   * @throws IOException if it is damaged, of another origin, or the state was not taken
   */
  static int[] read(Path file, String origin, int maxTokens, StateReader state) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = readAll(file, arena);
      long end = memory.byteSize() - 4;
      if (end < 24
          || memory.get(LONG, 0) != MAGIC
          || memory.get(INT, end) != checksum(memory.asSlice(0, end))) {
        throw new IOException("%s is damaged, or no saved sequence".formatted(file.getFileName()));
      }
      int nameBytes = memory.get(INT, 8);
      String name =
          new String(memory.asSlice(12, nameBytes).toArray(JAVA_BYTE), StandardCharsets.UTF_8);
      if (!name.equals(origin)) {
        throw new IOException(
            "%s was saved by %s (expected: %s)".formatted(file.getFileName(), name, origin));
      }
      long at = 12L + nameBytes;
      int count = memory.get(INT, at);
      if (count > maxTokens) {
        throw new IOException(
            "%s holds %d tokens (expected: at most %d)"
                .formatted(file.getFileName(), count, maxTokens));
      }
      int[] tokens = memory.asSlice(at + 4, 4L * count).toArray(INT);
      at += 4 + 4L * count;
      if (!state.read(memory.asSlice(at + 8, memory.get(LONG, at)))) {
        throw new IOException(
            "the state in %s was not taken: no room, or of another model"
                .formatted(file.getFileName()));
      }
      return tokens;
    } catch (IndexOutOfBoundsException e) {
      throw new IOException("%s is no saved sequence".formatted(file.getFileName()), e);
    }
  }

  private static MemorySegment readAll(Path file, Arena arena) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      MemorySegment memory = arena.allocate(channel.size());
      for (long at = 0; at < memory.byteSize(); ) {
        int read = channel.read(piece(memory, at));
        if (read < 0) {
          throw new EOFException("%s became shorter".formatted(file.getFileName()));
        }
        at += read;
      }
      return memory;
    }
  }

  private static void replace(Path file, MemorySegment content) throws IOException {
    Path unfinished = file.resolveSibling(file.getFileName() + ".tmp");
    try {
      try (FileChannel channel =
          FileChannel.open(
              unfinished,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        for (long at = 0; at < content.byteSize(); ) {
          at += channel.write(piece(content, at));
        }
      }
      Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  private static int checksum(MemorySegment content) {
    CRC32C checksum = new CRC32C();
    for (long at = 0; at < content.byteSize(); at += PIECE_BYTES) {
      checksum.update(piece(content, at));
    }
    return (int) checksum.getValue();
  }

  private static ByteBuffer piece(MemorySegment content, long at) {
    return content.asSlice(at, Math.min(PIECE_BYTES, content.byteSize() - at)).asByteBuffer();
  }
}
