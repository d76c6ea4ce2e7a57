package dev.cloister.coordinator.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.catalog.Retention;
import dev.cloister.coordinator.courtesy.Ceilings;
import dev.cloister.coordinator.courtesy.CourtesyPolicy;
import dev.cloister.coordinator.courtesy.Policies;
import dev.cloister.coordinator.fakes.MemoryModelRecords;
import dev.cloister.coordinator.fleet.Drain;
import dev.cloister.coordinator.fleet.NodeSettings;
import dev.cloister.coordinator.fleet.WakeAddress;
import dev.cloister.coordinator.identity.ApiKey;
import dev.cloister.coordinator.identity.Member;
import dev.cloister.coordinator.identity.StoredToken;
import dev.cloister.coordinator.labels.Labels;
import dev.cloister.identity.Role;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SqliteRecordsTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final Labels SERVERS = Labels.of(Map.of("class", "server", "site", "hq"));
  private static final byte[] SECRET = "hash".getBytes(UTF_8);

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private Database database;

  @SuppressWarnings("NullAway.Init")
  private SqliteTokenRecords tokens;

  @BeforeEach
  void open() {
    database = Database.open(directory.resolve("cloister.db"));
    tokens = new SqliteTokenRecords(database);
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void ofFiftyRacingCallersExactlyAsManyWinAsTheTokenHasUses() throws Exception {
    tokens.add(token("t", 3), SECRET);
    CountDownLatch go = new CountDownLatch(1);
    List<Future<Optional<Member>>> racers = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(50)) {
      for (int i = 0; i < 50; i++) {
        String id = "member" + i;
        racers.add(
            threads.submit(
                () -> {
                  go.await();
                  return tokens.redeem("t", SECRET, id, "desk", NOW);
                }));
      }
      go.countDown();
    }
    List<String> names = new ArrayList<>();
    for (Future<Optional<Member>> racer : racers) {
      racer.get().ifPresent(member -> names.add(member.name()));
    }
    assertThat(names).containsExactlyInAnyOrder("desk", "desk-2", "desk-3");
    assertThat(tokens.find("t").orElseThrow().usesLeft()).isZero();
    assertThat(tokens.withRole(Role.AGENT)).hasSize(3);
  }

  @Test
  void aTokenIsNotRedeemedWhenExpiredRevokedOrWithAnotherSecret() {
    tokens.add(token("good", 5), SECRET);
    Instant end = NOW.plus(Duration.ofHours(1));
    assertThat(tokens.redeem("good", "other".getBytes(UTF_8), "m1", "a", NOW)).isEmpty();
    assertThat(tokens.redeem("good", SECRET, "m1", "a", end)).isEmpty();
    assertThat(tokens.redeem("unknown", SECRET, "m1", "a", NOW)).isEmpty();
    assertThat(tokens.redeem("good", SECRET, "m1", "a", end.minusMillis(1))).isPresent();
    assertThat(tokens.revoke("good")).isTrue();
    assertThat(tokens.redeem("good", SECRET, "m2", "a", NOW)).isEmpty();
    assertThat(tokens.find("good").orElseThrow().usesLeft()).isEqualTo(4);
    assertThat(tokens.revoke("unknown")).isFalse();
  }

  @Test
  void membersAreKnownByRole() {
    tokens.add(token("t", 1), SECRET);
    tokens.redeem("t", SECRET, "m1", "desk", NOW);
    assertThat(tokens.isMember("m1", Role.AGENT)).isTrue();
    assertThat(tokens.isMember("m1", Role.ADMIN)).isFalse();
    assertThat(tokens.isMember("m2", Role.AGENT)).isFalse();
    assertThat(tokens.withRole(Role.AGENT))
        .containsExactly(new Member("m1", Role.AGENT, "desk", NOW));
  }

  @Test
  void aKeyNameIsTakenUntilTheKeyIsRevoked() {
    SqliteApiKeyRecords keys = new SqliteApiKeyRecords(database);
    ApiKey first = new ApiKey("k1", "laptop", NOW, false, SERVERS, 1);
    ApiKey second = new ApiKey("k2", "laptop", NOW.plusSeconds(1), false, Labels.NONE, 0.5);
    assertThat(keys.add(first, new byte[] {1})).isTrue();
    assertThat(keys.add(second, new byte[] {2})).isFalse();
    assertThat(keys.revoke("k1")).isTrue();
    assertThat(keys.add(second, new byte[] {2})).isTrue();
    assertThat(keys.all()).extracting(ApiKey::id).containsExactly("k2", "k1");
    assertThat(keys.findByHash(new byte[] {1}).orElseThrow().revoked()).isTrue();
    assertThat(keys.findByHash(new byte[] {2})).hasValue(second);
    assertThat(keys.findByHash(new byte[] {3})).isEmpty();
    assertThat(keys.revoke("k3")).isFalse();
    assertThat(keys.weigh("k2", 3)).isTrue();
    assertThat(keys.findByHash(new byte[] {2})).map(ApiKey::weight).hasValue(3.0);
    assertThat(keys.weigh("k3", 3)).isFalse();
  }

  @Test
  void whatIsSaidOfWhenMachinesWorkIsKept() {
    SqlitePolicyRecords policies = new SqlitePolicyRecords(database);
    CourtesyPolicy all =
        new CourtesyPolicy(
            Optional.of(false),
            OptionalDouble.of(0.5),
            OptionalDouble.of(0),
            Optional.of(CourtesyPolicy.WhileUserPresent.GENTLY),
            Optional.of(CourtesyPolicy.Hours.parse("18:00-08:30")),
            new Ceilings(OptionalLong.of(8L << 30), OptionalLong.of(Long.MAX_VALUE)));
    policies.put(Policies.ALL, CourtesyPolicy.DEFAULT);
    policies.put(Policies.ALL, all);
    policies.put("desk", CourtesyPolicy.NONE);
    assertThat(policies.all()).isEqualTo(Map.of(Policies.ALL, all, "desk", CourtesyPolicy.NONE));
  }

  @Test
  void aModelOfTheSameNameIsReplaced() {
    SqliteModelRecords models = new SqliteModelRecords(database);
    Model small = MemoryModelRecords.model("org/m:v1", 10);
    models.put(small);
    assertThat(models.all()).containsExactly(small);
    Model large = MemoryModelRecords.model("org/m:v1", 20);
    models.put(large);
    assertThat(models.all()).containsExactly(large);
  }

  @Test
  void theOptionsOfAModelAreKept() {
    SqliteModelRecords models = new SqliteModelRecords(database);
    Model plain = MemoryModelRecords.model("plain", 10);
    Model configured =
        new Model(
            "configured",
            plain.sha256(),
            10,
            plain.file(),
            Instant.EPOCH,
            Instant.EPOCH,
            new ModelOptions(
                OptionalInt.of(4096),
                OptionalInt.of(8),
                OptionalInt.of(3),
                OptionalInt.of(7),
                OptionalInt.of(256),
                OptionalInt.of(-1),
                OptionalInt.of(0),
                Optional.of(ModelOptions.KvType.Q8_0),
                Optional.of(ModelOptions.KvPlace.HOST),
                Optional.of(ModelOptions.FlashAttention.ON),
                OptionalInt.of(3),
                true),
            SERVERS,
            Retention.keepAlive(Duration.ofMinutes(5)));
    Model pinned = MemoryModelRecords.model("pinned", 10).retained(Retention.PINNED);
    models.put(pinned);
    models.put(plain);
    models.put(configured);
    assertThat(models.all()).containsExactly(configured, pinned, plain);
  }

  private static StoredToken token(String id, int uses) {
    return new StoredToken(id, Role.AGENT, NOW, NOW.plus(Duration.ofHours(1)), uses, false);
  }

  @Test
  void whatIsKnownOfANodeIsKeptAndReplaced() {
    tokens.add(token("t", 1), SECRET);
    tokens.redeem("t", SECRET, "n1", "desk", NOW);
    SqliteNodeRecords nodes = new SqliteNodeRecords(database);
    assertThat(nodes.all()).isEmpty();
    NodeSettings drained =
        new NodeSettings(
            SERVERS,
            Optional.of(Drain.byAdministrator(NOW)),
            List.of(
                new WakeAddress("00:1b:44:11:3a:b7", "192.168.1.255"),
                new WakeAddress("00:1b:44:11:3a:b8", "")));

    nodes.put("n1", drained);
    assertThat(nodes.all()).isEqualTo(Map.of("n1", drained));
    nodes.put("n1", NodeSettings.NONE);
    assertThat(nodes.all()).isEqualTo(Map.of("n1", NodeSettings.NONE));
  }
}
