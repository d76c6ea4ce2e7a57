package dev.cloister.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.identity.authority.TestCluster;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SpiffeIdTest {
  @Test
  void everyRoleSurvivesItsTextForm() {
    for (Role role : Role.values()) {
      SpiffeId id = new SpiffeId("abc-123", role, "node_1.a");
      assertThat(SpiffeId.parse(id.toString())).isEqualTo(id);
      assertThat(Role.parse(role.segment())).isEqualTo(role);
    }
    assertThat(new SpiffeId("c1", Role.AGENT, "pc-7").toString())
        .isEqualTo("spiffe://c1/agent/pc-7");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "spiffe://c1",
        "spiffe://c1/agent",
        "spiffe://c1/agent/",
        "spiffe:///agent/a",
        "spiffe://c1/agent/a/b",
        "spiffe://c1/agent/a/",
        "spiffe://c1/agent//a",
        "spiffe://c1/AGENT/a",
        "spiffe://c1/root/a",
        "spiffe://C1/agent/a",
        "spiffe://c1:80/agent/a",
        "spiffe://user@c1/agent/a",
        "spiffe://c1/agent/..",
        "spiffe://c1/agent/.",
        "spiffe://c1/agent/a?x=1",
        "spiffe://c1/agent/a#x",
        "spiffe://c1/agent/a%2e",
        "spiffe://c1/agent/a\n",
        "spiffe://c1/agent/ä",
        "SPIFFE://c1/agent/a",
        "https://c1/agent/a"
      })
  void everythingElseIsRefused(String text) {
    assertThatThrownBy(() -> SpiffeId.parse(text))
        .isInstanceOf(InvalidIdentityException.class)
        .hasMessageNotContaining("\n");
  }

  @Test
  void namesAreAtMost63CharactersLong() {
    char[] name = new char[63];
    Arrays.fill(name, 'a');
    String longest = new String(name);
    assertThat(new SpiffeId(longest, Role.CLIENT, longest).memberId()).hasSize(63);
    assertThatThrownBy(() -> new SpiffeId("c", Role.CLIENT, longest + "a"))
        .isInstanceOf(InvalidIdentityException.class);
  }

  @Test
  void isReadFromTheCertificateOfAMemberButNotFromThatOfTheRoot(@TempDir Path directory) {
    TestCluster cluster = new TestCluster(directory);
    Identity agent = cluster.member(Role.AGENT, "pc-7");
    String clusterId = cluster.authority().clusterId();

    assertThat(agent.id()).isEqualTo(new SpiffeId(clusterId, Role.AGENT, "pc-7"));
    assertThat(SpiffeId.clusterId(agent.root())).isEqualTo(clusterId);
    assertThatThrownBy(() -> SpiffeId.of(agent.root()))
        .isInstanceOf(InvalidIdentityException.class);
    assertThatThrownBy(() -> SpiffeId.clusterId(agent.leaf()))
        .isInstanceOf(InvalidIdentityException.class);
  }
}
