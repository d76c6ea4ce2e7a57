package dev.cloister.identity.authority;

import dev.cloister.identity.Pem;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKey;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.PBEParameterSpec;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;

/**
 * PKCS#8 keys under a passphrase: PBES2 (RFC 8018) with PBKDF2, HMAC-SHA-256 and AES-256-CBC, as
 * {@code openssl pkey} reads it.
 */
final class RootKeyCipher {
  private static final String PBES2 = "PBEWithHmacSHA256AndAES_256";

  /** For passphrases that people choose: OWASP's figure for PBKDF2 with HMAC-SHA-256. */
  private static final int ITERATIONS = 600_000;

  /**
   * For passphrases as long as the generated ones, whose 200 random bits nobody guesses: more would
   * only delay every start.
   */
  private static final int ITERATIONS_LONG = 1_000;

  private static final int LONG = 40;

  private RootKeyCipher() {}

  static byte[] encrypt(PrivateKey key, char[] passphrase) {
    SecureRandom random = new SecureRandom();
    byte[] salt = new byte[16];
    byte[] iv = new byte[16];
    random.nextBytes(salt);
    random.nextBytes(iv);
    byte[] plain = key.getEncoded();
    try {
      Cipher cipher = Cipher.getInstance(PBES2);
      cipher.init(
          Cipher.ENCRYPT_MODE,
          secretKey(passphrase),
          new PBEParameterSpec(
              salt,
              passphrase.length >= LONG ? ITERATIONS_LONG : ITERATIONS,
              new IvParameterSpec(iv)));
      byte[] encrypted = cipher.doFinal(plain);
      return Pkcs8.encode(cipher.getParameters().getEncoded(), encrypted);
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException("the Java platform cannot do " + PBES2, e);
    } finally {
      Arrays.fill(plain, (byte) 0);
    }
  }

  /**
   * Decrypts a key. A wrong passphrase can, once in some hundred times, go unnoticed here, so the
   * caller compares the key with its certificate.
   *
   * @throws GeneralSecurityException if the passphrase is wrong
   * @throws IOException if this is not an encrypted key
   * @throws InvalidIdentityException if what was decrypted is no key
   */
  static PrivateKey decrypt(byte[] encrypted, char[] passphrase)
      throws GeneralSecurityException, IOException {
    EncryptedPrivateKeyInfo info = new EncryptedPrivateKeyInfo(encrypted);
    Cipher cipher = Cipher.getInstance(PBES2);
    cipher.init(Cipher.DECRYPT_MODE, secretKey(passphrase), info.getAlgParameters());
    byte[] plain = cipher.doFinal(info.getEncryptedData());
    try {
      return Pem.privateKey(plain);
    } finally {
      Arrays.fill(plain, (byte) 0);
    }
  }

  private static SecretKey secretKey(char[] passphrase) throws GeneralSecurityException {
    PBEKeySpec spec = new PBEKeySpec(passphrase);
    try {
      return SecretKeyFactory.getInstance(PBES2).generateSecret(spec);
    } finally {
      spec.clearPassword();
    }
  }

  /**
   * The platform reads PBES2 but does not know how to write it. In a class of its own, so that
   * opening a key does not load BouncyCastle, whose signed archives take 100 ms to check.
   */
  private static final class Pkcs8 {
    static byte[] encode(byte[] parameters, byte[] encrypted) throws IOException {
      AlgorithmIdentifier pbes2 =
          new AlgorithmIdentifier(
              PKCSObjectIdentifiers.id_PBES2, ASN1Primitive.fromByteArray(parameters));
      return new org.bouncycastle.asn1.pkcs.EncryptedPrivateKeyInfo(pbes2, encrypted).getEncoded();
    }
  }
}
