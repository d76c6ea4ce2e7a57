package dev.cloister.engine.llamacpp;

import dev.cloister.engine.generation.ModelLoadException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * What java-llama.cpp does not tell about a model, read from the metadata of its file. Format: <a
 * href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">GGUF</a>, versions 2 and 3.
 *
 * @param trainedContextTokens the context the model was trained for
 * @param addsBeginToken whether the tokenizer puts a beginning-of-sequence token before a prompt
 */
public record GgufFacts(int trainedContextTokens, boolean addsBeginToken) {

  private static final int MAGIC = 0x46554747; // "GGUF", little-endian.
  private static final int MAX_KEYS = 65_536;
  private static final int MAX_STRING = 1 << 24;
  private static final int STRING = 8;
  private static final int ARRAY = 9;

  /** Bytes of each scalar type, by its number; 0 where the type is not a scalar. */
  private static final int[] SIZES = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

  /** Reads the facts, with one sentence about what is wrong where the file is no usable model. */
  public static GgufFacts read(Path file) throws ModelLoadException {
    if (!Files.exists(file)) {
      throw new ModelLoadException("model file %s does not exist".formatted(file));
    }
    if (!Files.isRegularFile(file)) {
      throw new ModelLoadException("%s is not a file (expected: a GGUF file)".formatted(file));
    }
    try (FileChannel channel = FileChannel.open(file)) {
      if (channel.size() == 0) {
        throw new ModelLoadException("model file %s is empty".formatted(file));
      }
      return new Reader(channel).facts(file);
    } catch (EOFException e) {
      throw new ModelLoadException(
          "model file %s is incomplete: it ends within its metadata; fetch it again"
              .formatted(file),
          e);
    } catch (IOException e) {
      throw new ModelLoadException(
          "model file %s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }

  /** Reads forward through a buffer; keeps scalars and short strings, skips arrays. */
  private static final class Reader {
    private final FileChannel channel;
    private final ByteBuffer buffer =
        ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN).limit(0);

    Reader(FileChannel channel) {
      this.channel = channel;
    }

    GgufFacts facts(Path file) throws IOException, ModelLoadException {
      if (channel.size() < Integer.BYTES || need(Integer.BYTES).getInt() != MAGIC) {
        throw new ModelLoadException("%s is not a GGUF file".formatted(file));
      }
      int version = need(Integer.BYTES).getInt();
      if (version != 2 && version != 3) {
        throw new ModelLoadException(
            "model file %s has GGUF version %d (expected: 2 or 3)".formatted(file, version));
      }
      need(Long.BYTES).getLong(); // The number of tensors.
      long keys = need(Long.BYTES).getLong();
      if (keys < 0 || keys > MAX_KEYS) {
        throw new IOException("it announces %d metadata keys".formatted(keys));
      }
      Map<String, Object> values = new HashMap<>();
      for (long i = 0; i < keys; i++) {
        String key = string();
        values.put(key, value(need(Integer.BYTES).getInt()));
      }
      Object trained = values.get(values.get("general.architecture") + ".context_length");
      if (!(trained instanceof Long tokens) || tokens < 1 || tokens > Integer.MAX_VALUE) {
        throw new ModelLoadException(
            "model file %s does not say its context length (expected: <architecture>.context_length)"
                .formatted(file));
      }
      return new GgufFacts(tokens.intValue(), addsBeginToken(values));
    }

    /** Without the key, llama.cpp goes by the kind of tokenizer (llama_vocab::impl::load). */
    private static boolean addsBeginToken(Map<String, Object> values) {
      Object stated = values.get("tokenizer.ggml.add_bos_token");
      if (stated instanceof Long flag) {
        return flag != 0;
      }
      return !"gpt2".equals(values.get("tokenizer.ggml.model"))
          || "llama-bpe".equals(values.get("tokenizer.ggml.pre"));
    }

    private Object value(int type) throws IOException {
      return switch (type) {
        case STRING -> string();
        case ARRAY -> {
          int element = need(Integer.BYTES).getInt();
          long count = need(Long.BYTES).getLong();
          if (count < 0 || count > channel.size()) {
            throw new EOFException();
          }
          if (element == STRING) {
            for (long i = 0; i < count; i++) {
              skip(need(Long.BYTES).getLong());
            }
          } else {
            skip(count * size(element));
          }
          yield "";
        }
        default -> {
          int size = size(type);
          ByteBuffer bytes = need(size);
          yield switch (size) {
            case 1 -> (long) bytes.get();
            case 2 -> (long) bytes.getShort();
            case 4 -> Integer.toUnsignedLong(bytes.getInt());
            default -> bytes.getLong();
          };
        }
      };
    }

    private static int size(int type) throws IOException {
      if (type < 0 || type >= SIZES.length || SIZES[type] == 0) {
        throw new IOException("it has a metadata value of the unknown type %d".formatted(type));
      }
      return SIZES[type];
    }

    private String string() throws IOException {
      long length = need(Long.BYTES).getLong();
      if (length < 0 || length > channel.size()) {
        throw new EOFException();
      }
      if (length > MAX_STRING) {
        throw new IOException("it has a metadata text of %d bytes".formatted(length));
      }
      byte[] bytes = new byte[(int) length];
      for (int at = 0; at < bytes.length; ) {
        int part = Math.min(bytes.length - at, buffer.capacity());
        need(part).get(bytes, at, part);
        at += part;
      }
      return new String(bytes, StandardCharsets.UTF_8);
    }

    private void skip(long count) throws IOException {
      if (count < 0 || count > channel.size()) {
        throw new EOFException();
      }
      int buffered = (int) Math.min(count, buffer.remaining());
      buffer.position(buffer.position() + buffered);
      channel.position(channel.position() + count - buffered);
    }

    private ByteBuffer need(int count) throws IOException {
      while (buffer.remaining() < count) {
        buffer.compact();
        int read = channel.read(buffer);
        buffer.flip();
        if (read < 0) {
          throw new EOFException();
        }
      }
      return buffer;
    }
  }
}
