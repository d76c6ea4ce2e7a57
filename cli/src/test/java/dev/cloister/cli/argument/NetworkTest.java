package dev.cloister.cli.argument;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.cli.outcome.CommandFailedException;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;

class NetworkTest {
  @Test
  void anAddressIsAHostAndAPort() {
    assertAddress("127.0.0.1:7444", "127.0.0.1", 7444);
    assertAddress("[::1]:0", "0:0:0:0:0:0:0:1", 0);
  }

  @Test
  void whatIsNoAddressIsAUsageError() {
    assertRefused("7444", "--listen is '7444' (expected: HOST:PORT)");
    assertRefused(":7444", "--listen is ':7444' (expected: HOST:PORT)");
    assertRefused("127.0.0.1:", "--listen is '127.0.0.1:' (expected: HOST:PORT)");
    assertRefused("127.0.0.1:65536", "the port of --listen is 65536 (expected: 0 to 65535)");
    assertRefused("no host:1", "the host 'no host' is unknown; give an address of this machine");
  }

  private static void assertAddress(String text, String host, int port) {
    InetSocketAddress address = Network.address(text, "--listen");
    assertThat(address.getAddress().getHostAddress()).isEqualTo(host);
    assertThat(address.getPort()).isEqualTo(port);
  }

  private static void assertRefused(String text, String message) {
    assertThatThrownBy(() -> Network.address(text, "--listen"))
        .isInstanceOf(CommandFailedException.class)
        .hasMessage(message);
  }
}
