package dev.cloister.agent.fingerprint.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinkAddressesTest {
  @TempDir private Path links;

  @Test
  void a_link_wakes_its_machine_where_that_is_turned_on() throws IOException {
    link("eth0", "enabled\n");
    link("eth1", "disabled\n");
    Files.createDirectory(links.resolve("docker0"));

    assertThat(LinkAddresses.mayWake(links, "eth0")).isTrue();
    assertThat(LinkAddresses.mayWake(links, "eth1")).isFalse();
    assertThat(LinkAddresses.mayWake(links, "docker0")).isFalse();
  }

  @Test
  void where_links_tell_nothing_they_may() {
    assertThat(LinkAddresses.mayWake(links.resolve("none"), "en0")).isTrue();
  }

  private void link(String name, String wakeup) throws IOException {
    Path power = Files.createDirectories(links.resolve(name).resolve("device/power"));
    Files.writeString(power.resolve("wakeup"), wakeup);
  }
}
