package dev.cloister.identity;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where a member keeps its identity: {@code identity.pem}, an unencrypted PKCS#8 key, the member's
 * certificate and the root, as {@link PrivateFiles private} as they can be.
 *
 * <p>Key and certificate share one file because only one file can be replaced in one step: with
 * two, a kill between them would leave a new key beside the old certificate, and a machine that has
 * to be enrolled again. What is read back is therefore always a pair that was saved.
 *
 * <p>Not thread-safe against itself beyond what {@link PrivateFiles} promises: the later save wins.
 */
public final class IdentityStore {
  private static final List<String> LABELS =
      List.of(Pem.PRIVATE_KEY, Pem.CERTIFICATE, Pem.CERTIFICATE);

  private final Path directory;
  private final Path file;

  /**
   * @param directory the member's own, made at the first save
   */
  public IdentityStore(Path directory) {
    this.directory = directory;
    file = directory.resolve("identity.pem");
  }

  /**
   * Returns the identity saved last, even if it has expired; empty if none ever was.
   *
   * @throws PrivateFileException if file or directory are open to others, or the file is damaged
   */
  public Optional<Identity> load() {
    if (Files.exists(directory)) {
      PrivateFiles.requirePrivate(directory);
    }
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    byte[] text = PrivateFiles.read(file);
    try {
      List<byte[]> blocks = Pem.decode(text, LABELS);
      return Optional.of(
          Identity.of(Pem.privateKey(blocks.getFirst()), blocks.subList(1, blocks.size())));
    } catch (InvalidIdentityException e) {
      throw new PrivateFileException(
          file
              + " is damaged ("
              + e.getMessage()
              + "); restore it from a backup, or remove it and join again with a new token",
          e);
    }
  }

  /**
   * Replaces the saved identity in one step.
   *
   * @throws PrivateFileException if the directory is open to others
   */
  public void save(Identity identity) {
    List<Pem.Block> blocks = new ArrayList<>();
    blocks.add(new Pem.Block(Pem.PRIVATE_KEY, identity.key().getEncoded()));
    identity.chain().forEach(certificate -> blocks.add(Pem.block(certificate)));
    PrivateFiles.write(file, Pem.encode(blocks));
  }
}
