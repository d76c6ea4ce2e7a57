package dev.cloister.identity.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Addresses that a careless reader could take for something else. */
class ClusterChannelTest {
  @ParameterizedTest
  @ValueSource(
      strings = {"dns:7443", "unix:7443", "10.0.0.1:1", "pc-7.example.com:65535", "[fe80::1]:7443"})
  void everyAddressOfATokenIsTakenAsHostAndPort(String address) {
    ManagedChannel channel = ClusterChannel.to(address, ClusterTls.enrolling(new byte[32])).build();
    try {
      assertThat(channel.authority().replace("%5B", "[").replace("%5D", "]")).isEqualTo(address);
    } finally {
      channel.shutdownNow();
    }
  }
}
