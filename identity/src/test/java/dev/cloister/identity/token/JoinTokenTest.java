package dev.cloister.identity.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.identity.Base32Name;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JoinTokenTest {
  private static final String ALPHABET =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\u00e4";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "coordinator:7443",
        "a.example.com:1",
        "10.0.0.1:65535",
        "[::1]:7443",
        "[fe80::1]:1"
      })
  void survivesItsTextForm(String address) {
    JoinToken token = token(new Random(1), address);

    JoinToken parsed = JoinToken.parse(" " + token.encode() + "\n");

    assertThat(parsed).isEqualTo(token).hasSameHashCodeAs(token);
    assertThat(parsed.address()).isEqualTo(address);
    assertThat(parsed.rootPin()).isEqualTo(token.rootPin());
    assertThat(parsed.secret()).isEqualTo(token.secret());
    assertThat(token.encode()).startsWith("clj1.").matches("[A-Za-z0-9._-]+");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "host",
        "host:",
        ":1",
        "host:0",
        "host:07",
        "host:65536",
        "host:99999",
        "host:-1",
        "::1:7443",
        "[::1]",
        "[::1:7443",
        "[host]:1",
        "[1.2.3.4]:1",
        "[:::]:1",
        "ho st:1",
        "host:1 ",
        "höst:1",
        "http://host:1",
        "user@host:1",
        "host:1/path"
      })
  void anAddressThatIsNotHostAndPortIsRefused(String address) {
    assertThatThrownBy(() -> token(new Random(1), address))
        .isInstanceOf(InvalidJoinTokenException.class)
        .hasMessageContaining("host:port")
        .hasMessageEndingWith("cloister token create");
  }

  @Test
  void noChangedCharacterMakesAnEqualToken() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    JoinToken token = token(random, "[fe80::1]:7443");
    String text = token.encode();
    for (int position = 0; position < text.length(); position++) {
      for (int i = 0; i < ALPHABET.length(); i++) {
        char replacement = ALPHABET.charAt(i);
        if (replacement != text.charAt(position)) {
          String altered = text.substring(0, position) + replacement + text.substring(position + 1);
          assertNotEqual(token, altered, seed);
        }
      }
      String shorter = text.substring(0, position) + text.substring(position + 1);
      assertNotEqual(token, shorter, seed);
      char extra = ALPHABET.charAt(random.nextInt(66));
      String longer = text.substring(0, position) + extra + text.substring(position);
      if (!longer.strip().equals(text)) {
        assertNotEqual(token, longer, seed);
      }
    }
  }

  @Test
  void noTextCutShortIsAToken() {
    String text = token(new Random(1), "host:1").encode();
    for (int length = 0; length < text.length(); length++) {
      String cut = text.substring(0, length);
      assertThatThrownBy(() -> JoinToken.parse(cut)).isInstanceOf(InvalidJoinTokenException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 16, 31, 33, 64})
  void pinAndSecretAreExactly32Bytes(int length) {
    byte[] right = new byte[32];
    byte[] wrong = new byte[length];
    assertThatThrownBy(() -> new JoinToken("host:1", wrong, "abcdefghij", right))
        .isInstanceOf(InvalidJoinTokenException.class);
    assertThatThrownBy(() -> new JoinToken("host:1", right, "abcdefghij", wrong))
        .isInstanceOf(InvalidJoinTokenException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "abcdefghi", "abcdefghijk", "ABCDEFGHIJ", "abcdefgh.j", "abcdefgh01"})
  void anIdOfAnotherGrammarIsRefused(String id) {
    assertThatThrownBy(() -> new JoinToken("host:1", new byte[32], id, new byte[32]))
        .isInstanceOf(InvalidJoinTokenException.class);
  }

  @Test
  void otherVersionsAndGarbageAreRefused() {
    String text = token(new Random(1), "host:1").encode();
    assertThatThrownBy(() -> JoinToken.parse("clj2" + text.substring(4)))
        .hasMessageContaining("clj1.");
    assertThatThrownBy(() -> JoinToken.parse(text + "A".repeat(2000)))
        .hasMessageContaining("too long");
    assertThatThrownBy(() -> JoinToken.parse("")).isInstanceOf(InvalidJoinTokenException.class);
    assertThatThrownBy(() -> JoinToken.parse("....")).isInstanceOf(InvalidJoinTokenException.class);
  }

  @Test
  void neitherToStringNorErrorsShowTheSecret() {
    JoinToken token = token(new Random(1), "host:1");
    String encoded = Base64.getUrlEncoder().withoutPadding().encodeToString(token.secret());

    assertThat(token.toString())
        .doesNotContain(encoded)
        .doesNotContain(HexFormat.of().formatHex(token.secret()))
        .contains("host:1");
    assertThatThrownBy(() -> JoinToken.parse(token.encode() + "=="))
        .hasMessageNotContaining(encoded.substring(0, 20));
  }

  @Test
  void arraysAreCopiedInAndOut() {
    byte[] pin = new byte[32];
    byte[] secret = new byte[32];
    JoinToken token = new JoinToken("host:1", pin, "abcdefghij", secret);
    pin[0] = 1;
    secret[0] = 1;
    token.rootPin()[1] = 1;
    token.secret()[1] = 1;
    assertThat(token).isEqualTo(new JoinToken("host:1", new byte[32], "abcdefghij", new byte[32]));
  }

  @Test
  void newSecretsAndIdsDiffer() {
    SecureRandom random = new SecureRandom();
    assertThat(JoinToken.newSecret(random)).hasSize(32).isNotEqualTo(JoinToken.newSecret(random));
    assertThat(JoinToken.newId(random))
        .matches("[a-z2-7]{10}")
        .isNotEqualTo(JoinToken.newId(random));
  }

  private static void assertNotEqual(JoinToken token, String altered, long seed) {
    try {
      assertThat(JoinToken.parse(altered)).as("seed %d, %s", seed, altered).isNotEqualTo(token);
    } catch (InvalidJoinTokenException refused) {
      assertThat(refused).hasMessageContaining("join token");
    }
  }

  private static JoinToken token(Random random, String address) {
    byte[] pin = new byte[32];
    byte[] secret = new byte[32];
    random.nextBytes(pin);
    random.nextBytes(secret);
    return new JoinToken(address, pin, Base32Name.random(random, 10), secret);
  }
}
