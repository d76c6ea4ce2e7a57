package dev.cloister.engine.batching;

import dev.cloister.engine.batching.PrefixShelf.Retained;
import dev.cloister.engine.model.DecodeContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Beginnings of prompts whose computed state outlives the process, in files within a size limit;
 * the least recently used go first. A folder belongs to one model, library version and KV type, of
 * which its path should tell; within it each tenant has a folder, named by a hash.
 *
 * <p>The files hold what was asked, as tokens and as computed state: only the user may enter the
 * folder. Belongs to the batcher's thread. A file that cannot be read or written costs the prefix
 * and nothing else.
 */
public final class PrefixStore {
  private static final Logger log = LoggerFactory.getLogger(PrefixStore.class);

  /** Shorter ones are computed as quickly as they are read. */
  static final int LEAST_TOKENS = 64;

  private static final String STATE = ".kv";
  private static final String TOKENS = ".tokens";
  private static final int MOST_ENTRIES = 1024;

  private final Path directory;
  private final long mostBytes;
  private final DecodeContext context;
  private final InstantSource clock;
  private final List<Entry> entries = new ArrayList<>();

  /** A prefix on disk. */
  static final class Entry {
    private final String tenant;
    private final TokenList tokens;
    private final Path state;
    private final long bytes;
    private Instant used;

    private Entry(String tenant, TokenList tokens, Path state, long bytes, Instant used) {
      this.tenant = tenant;
      this.tokens = tokens;
      this.state = state;
      this.bytes = bytes;
      this.used = used;
    }

    TokenList tokens() {
      return tokens;
    }
  }

  private PrefixStore(Path directory, long mostBytes, DecodeContext context, InstantSource clock) {
    this.directory = directory;
    this.mostBytes = mostBytes;
    this.context = context;
    this.clock = clock;
  }

  /**
   * Opens a folder, made if it is not there, and removes what is damaged or too much.
   *
   * @param mostBytes of all files together
   * @param context of the whole model, where what is kept is computed
   */
  public static PrefixStore open(
      Path directory, long mostBytes, DecodeContext context, InstantSource clock)
      throws IOException {
    createPrivate(directory);
    PrefixStore store = new PrefixStore(directory, mostBytes, context, clock);
    try (Stream<Path> tenants = Files.list(directory)) {
      for (Path tenant : tenants.filter(Files::isDirectory).toList()) {
        store.readTenant(tenant);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    store.shrink(0);
    return store;
  }

  /** A folder that cannot be read costs what is in it. */
  private void readTenant(Path tenant) {
    try {
      read(tenant);
    } catch (IOException | UncheckedIOException e) {
      log.info("stored prefixes in {} cannot be read", tenant.getFileName(), e);
    }
  }

  private void read(Path tenant) throws IOException {
    try (Stream<Path> files = Files.list(tenant)) {
      for (Path file : files.filter(f -> !Files.isDirectory(f)).toList()) {
        String name = file.getFileName().toString();
        boolean known = name.endsWith(STATE) && readEntry(tenant, file);
        boolean index = name.endsWith(TOKENS) && Files.exists(stateOf(file));
        if (!known && !index) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  private boolean readEntry(Path tenant, Path state) throws IOException {
    int[] tokens = readTokens(tokensOf(state));
    if (tokens == null) {
      Files.deleteIfExists(tokensOf(state));
      return false;
    }
    entries.add(
        new Entry(
            tenant.getFileName().toString(),
            new TokenList(tokens),
            state,
            Files.size(state),
            Files.getLastModifiedTime(state).toInstant()));
    return true;
  }

  /** The stored prefix that shares the most with a prompt, if it shares at least so much. */
  @Nullable Entry longest(String tenant, TokenList prompt, int limit, int atLeast) {
    if (entries.isEmpty()) {
      return null;
    }
    String hash = hash(tenant);
    Entry best = null;
    int most = Math.max(atLeast, LEAST_TOKENS) - 1;
    for (Entry entry : entries) {
      if (entry.tenant.equals(hash)) {
        int common = entry.tokens.commonPrefix(prompt, limit);
        if (common > most) {
          most = common;
          best = entry;
        }
      }
    }
    return best;
  }

  /** Reads a prefix into an empty sequence; returns how many tokens it holds then, 0 for none. */
  int restore(int sequence, Entry entry) {
    try {
      int[] tokens = context.restore(sequence, entry.state);
      if (new TokenList(tokens).commonPrefix(entry.tokens, tokens.length) == tokens.length
          && tokens.length == entry.tokens.size()) {
        use(entry);
        return tokens.length;
      }
      log.info("stored prefix {} is not what its index says", entry.state.getFileName());
    } catch (IOException e) {
      log.info("stored prefix {} cannot be used", entry.state.getFileName(), e);
    }
    remove(entry);
    return 0;
  }

  private void use(Entry entry) throws IOException {
    entry.used = clock.instant();
    Files.setLastModifiedTime(entry.state, FileTime.from(entry.used));
  }

  /** Whether it is to be saved, which is asked once: not if it is short or there already. */
  boolean claim(Retained ended) {
    boolean asked = ended.stored;
    ended.stored = true;
    return !asked && ended.tokens.size() >= LEAST_TOKENS && !held(hash(ended.tenant), ended.tokens);
  }

  /** Writes the state of a sequence that holds what was claimed. */
  void save(int sequence, Retained ended) {
    String hash = hash(ended.tenant);
    TokenList tokens = ended.tokens;
    Path folder = directory.resolve(hash);
    Path state = folder.resolve(name(tokens) + STATE);
    Path unfinished = folder.resolve(name(tokens) + ".unfinished");
    try {
      createPrivate(folder);
      try {
        long bytes = context.save(sequence, tokens.toArray(), unfinished);
        if (bytes > mostBytes || usable(folder) < 0) {
          return;
        }
        shrink(bytes);
        writeTokens(tokensOf(state), tokens.toArray());
        Files.move(unfinished, state, StandardCopyOption.REPLACE_EXISTING);
        dropPrefixesOf(hash, tokens);
        entries.add(new Entry(hash, tokens, state, bytes, clock.instant()));
      } finally {
        Files.deleteIfExists(unfinished);
      }
    } catch (IOException e) {
      log.info("a prefix of {} tokens cannot be stored", tokens.size(), e);
    }
  }

  /** Leaves a tenth of the volume to everybody else. */
  private static long usable(Path folder) throws IOException {
    FileStore volume = Files.getFileStore(folder);
    return volume.getUsableSpace() - volume.getTotalSpace() / 10;
  }

  private boolean held(String tenant, TokenList tokens) {
    return entries.stream()
        .anyMatch(
            e ->
                e.tenant.equals(tenant)
                    && e.tokens.commonPrefix(tokens, tokens.size()) == tokens.size());
  }

  private void dropPrefixesOf(String tenant, TokenList tokens) {
    entries.stream()
        .filter(
            e ->
                e.tenant.equals(tenant)
                    && e.tokens.commonPrefix(tokens, e.tokens.size()) == e.tokens.size())
        .toList()
        .forEach(this::remove);
  }

  private void shrink(long coming) {
    entries.sort(Comparator.comparing(e -> e.used));
    long bytes = entries.stream().mapToLong(e -> e.bytes).sum();
    while (!entries.isEmpty() && (bytes + coming > mostBytes || entries.size() >= MOST_ENTRIES)) {
      bytes -= entries.getFirst().bytes;
      remove(entries.getFirst());
    }
  }

  private void remove(Entry entry) {
    entries.remove(entry);
    try {
      Files.deleteIfExists(entry.state);
      Files.deleteIfExists(tokensOf(entry.state));
    } catch (IOException e) {
      log.info("stored prefix {} cannot be removed", entry.state.getFileName(), e);
    }
  }

  int size() {
    return entries.size();
  }

  private static void createPrivate(Path folder) throws IOException {
    Files.createDirectories(folder);
    if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
    }
  }

  private static Path tokensOf(Path state) {
    String name = state.getFileName().toString();
    return state.resolveSibling(name.substring(0, name.length() - STATE.length()) + TOKENS);
  }

  private static Path stateOf(Path tokens) {
    String name = tokens.getFileName().toString();
    return tokens.resolveSibling(name.substring(0, name.length() - TOKENS.length()) + STATE);
  }

  /** The tokens, and room for a checksum. */
  private static byte[] bytes(int[] tokens) {
    byte[] bytes = new byte[4 * tokens.length + 4];
    littleEndian(bytes).asIntBuffer().put(tokens);
    return bytes;
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int checksum(byte[] bytes, int length) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes, 0, length);
    return (int) checksum.getValue();
  }

  private static void writeTokens(Path file, int[] tokens) throws IOException {
    byte[] bytes = bytes(tokens);
    littleEndian(bytes).putInt(4 * tokens.length, checksum(bytes, 4 * tokens.length));
    Files.write(file, bytes);
  }

  private static int @Nullable [] readTokens(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      return null;
    }
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer numbers = littleEndian(bytes);
    int length = bytes.length - 4;
    if (length <= 0 || length % 4 != 0 || numbers.getInt(length) != checksum(bytes, length)) {
      return null;
    }
    int[] tokens = new int[length / 4];
    numbers.asIntBuffer().get(tokens);
    return tokens;
  }

  private static String name(TokenList tokens) {
    return hash(bytes(tokens.toArray()));
  }

  private static String hash(String text) {
    return hash(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String hash(byte[] bytes) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      return HexFormat.of().formatHex(digest, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
