package dev.cloister.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.identity.authority.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class IdentityStoreTest {
  private final Path directory;
  private final Path file;
  private final IdentityStore store;
  private final TestCluster cluster;
  private final Identity agent;

  IdentityStoreTest(@TempDir Path parent) {
    directory = parent.resolve("agent");
    file = directory.resolve("identity.pem");
    store = new IdentityStore(directory);
    cluster = new TestCluster(parent);
    agent = cluster.member(Role.AGENT, "pc-7");
  }

  @Test
  void nothingWasSavedYet() {
    assertThat(store.load()).isEmpty();
    assertThat(directory).doesNotExist();
  }

  @Test
  void whatWasSavedLastIsLoaded() {
    store.save(cluster.member(Role.AGENT, "pc-7"));
    store.save(agent);

    assertThat(store.load()).hasValue(agent);
  }

  @Test
  void aKillBeforeTheReplacementLeavesTheOldIdentity() throws IOException {
    store.save(agent);
    byte[] half = Arrays.copyOf(Files.readAllBytes(file), 100);
    Files.write(directory.resolve(".identity.pem.killed.tmp"), half);

    assertThat(store.load()).hasValue(agent);
  }

  @Test
  void whoeverReadsDuringARenewalFindsOneWholeIdentity() {
    Identity renewed = cluster.member(Role.AGENT, "pc-7");
    store.save(agent);
    CompletableFuture<Void> renewals =
        CompletableFuture.runAsync(
            () -> {
              for (int i = 0; i < 50; i++) {
                store.save(i % 2 == 0 ? renewed : agent);
              }
            });
    do {
      assertThat(store.load().orElseThrow()).isIn(agent, renewed);
    } while (!renewals.isDone());
    renewals.join();
  }

  @Test
  void aDamagedFileIsOneSentence() throws IOException {
    store.save(agent);
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length < whole.length - 1; length += 97) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(store::load)
          .isInstanceOf(PrivateFileException.class)
          .hasMessageContaining("is damaged")
          .hasMessageContaining("join again");
    }
  }

  @Test
  void aKeyBesideAnotherCertificateIsRefused() throws IOException {
    Identity other = cluster.member(Role.AGENT, "pc-7");
    store.save(agent);
    Files.write(
        file,
        Pem.encode(
            List.of(
                new Pem.Block(Pem.PRIVATE_KEY, agent.key().getEncoded()),
                Pem.block(other.leaf()),
                Pem.block(other.root()))));

    assertThatThrownBy(store::load)
        .isInstanceOf(PrivateFileException.class)
        .hasMessageContaining("private key does not belong to the certificate");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aLooserFileOrDirectoryStopsTheStart() throws IOException {
    store.save(agent);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    assertThatThrownBy(store::load).hasMessageEndingWith("chmod 600 " + file);

    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    assertThatThrownBy(store::load).hasMessageEndingWith("chmod 700 " + directory);
  }

  @Test
  void anIdentityDoesNotShowItsKey() {
    String key = Base64.getEncoder().encodeToString(agent.key().getEncoded());
    assertThat(agent.toString())
        .contains("/agent/pc-7")
        .doesNotContain(key)
        .doesNotContain(agent.key().toString());
  }

  @Test
  void aRenewalMayNotChangeTheName() {
    RenewableIdentity renewable = new RenewableIdentity(agent);
    Identity renewed = cluster.member(Role.AGENT, "pc-7");
    renewable.set(renewed);
    assertThat(renewable.current()).isSameAs(renewed);

    Identity other = cluster.member(Role.AGENT, "pc-8");
    assertThatThrownBy(() -> renewable.set(other)).isInstanceOf(InvalidIdentityException.class);
    assertThat(renewable.current()).isSameAs(renewed);
  }
}
