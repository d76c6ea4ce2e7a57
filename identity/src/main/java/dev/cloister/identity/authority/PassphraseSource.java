package dev.cloister.identity.authority;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.cloister.identity.Base32Name;
import dev.cloister.identity.PrivateFileException;
import dev.cloister.identity.PrivateFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/**
 * Where the passphrase of the root key comes from.
 *
 * <p>A passphrase the operator supplies from elsewhere keeps a stolen disk from being a stolen
 * cluster. A generated one cannot: it lies beside the key it opens, in {@code root.pass}, and
 * whoever reads the whole directory has both. It protects copies of {@code root.key} alone, such as
 * a backup that leaves {@code root.pass} out.
 */
public final class PassphraseSource {
  private static final String GENERATED = "root.pass";
  private static final int GENERATED_LENGTH = 40;

  private PassphraseSource() {}

  /**
   * Returns the operator's passphrase, or else the generated one, which is made and kept when the
   * directory has no root key yet.
   *
   * @param directory the authority's
   * @param value the passphrase itself, for example from the environment; wins over a file
   * @param file holds the passphrase and nothing else but white space around it; mode 0600
   * @throws PrivateFileException if there is a root key but no passphrase, a file is open to
   *     others, or a passphrase is empty or not printable ASCII
   */
  public static char[] passphrase(Path directory, @Nullable String value, @Nullable Path file) {
    if (value != null) {
      return checked(value, "given passphrase");
    }
    if (file != null) {
      PrivateFiles.requirePrivate(file);
      try {
        return checked(new String(Files.readAllBytes(file), US_ASCII), file.toString());
      } catch (IOException e) {
        throw new UncheckedIOException("passphrase file cannot be read: " + file, e);
      }
    }
    Path generated = directory.resolve(GENERATED);
    if (!Files.exists(generated)) {
      if (Files.exists(directory.resolve(CertificateAuthority.KEY_FILE))) {
        throw new PrivateFileException(
            generated
                + " is missing, so the root key cannot be opened; restore it, or supply the"
                + " passphrase that was used before");
      }
      String passphrase = Base32Name.random(new SecureRandom(), GENERATED_LENGTH);
      PrivateFiles.write(generated, (passphrase + "\n").getBytes(US_ASCII));
    }
    return checked(new String(PrivateFiles.read(generated), US_ASCII), generated.toString());
  }

  /** The platform's password-based ciphers take printable ASCII only. */
  private static char[] checked(String passphrase, String origin) {
    String stripped = passphrase.strip();
    if (stripped.isEmpty() || !stripped.chars().allMatch(c -> c >= ' ' && c <= '~')) {
      throw new PrivateFileException(
          origin + " is empty or not printable ASCII; set another passphrase");
    }
    return stripped.toCharArray();
  }
}
