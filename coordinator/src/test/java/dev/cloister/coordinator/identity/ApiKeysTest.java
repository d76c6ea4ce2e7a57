package dev.cloister.coordinator.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.coordinator.labels.Labels;
import dev.cloister.testkit.SettableClock;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ApiKeysTest {
  private final MemoryRecords records = new MemoryRecords();
  private final ApiKeys keys = new ApiKeys(records, new SettableClock(Instant.EPOCH));

  @Test
  void aKeyIsKnownAndNothingLikeIt() {
    ApiKeys.NewKey made = keys.create("laptop");
    assertThat(made.key()).matches("sk-cloister-[A-Za-z0-9_-]{43}");
    assertThat(keys.verify(made.key())).map(ApiKey::name).hasValue("laptop");
    assertThat(keys.verify(made.key() + "A")).isEmpty();
    assertThat(keys.verify(made.key().substring(1))).isEmpty();
    assertThat(keys.verify(made.key().replace("sk-", "SK-"))).isEmpty();
    assertThat(keys.verify("")).isEmpty();
    assertThat(keys.verify("sk-cloister-" + "A".repeat(43))).isEmpty();
    assertThat(made.toString()).doesNotContain(made.key());
  }

  @Test
  void everyRequestButTheFirstIsAnsweredFromMemory() {
    ApiKeys.NewKey made = keys.create("laptop");
    for (int i = 0; i < 100; i++) {
      keys.verify(made.key());
    }
    assertThat(records.reads).hasValue(1);
  }

  @Test
  void aRevokedKeyIsRefusedAtOnce() {
    ApiKeys.NewKey made = keys.create("laptop");
    assertThat(keys.verify(made.key())).isPresent();
    assertThat(keys.revoke(made.id())).isTrue();
    assertThat(keys.verify(made.key())).isEmpty();
    assertThat(keys.revoke("0000000000")).isFalse();
  }

  @Test
  void aWeightIsChangedAtOnceAndStaysWithinItsRange() {
    ApiKeys.NewKey made = keys.create("laptop");
    assertThat(keys.verify(made.key())).map(ApiKey::weight).hasValue(1.0);
    assertThat(keys.weigh(made.id(), 2.5)).isTrue();
    assertThat(keys.verify(made.key())).map(ApiKey::weight).hasValue(2.5);
    assertThat(keys.weigh("0000000000", 1)).isFalse();
    for (double weight : new double[] {0, -1, 0.009, 100.1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> keys.weigh(made.id(), weight))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("weight: " + weight + " (expected: 0.01 to 100)");
      assertThatThrownBy(() -> keys.create("other", Labels.NONE, weight))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aKeyRevokedWhileItIsBeingVerifiedStaysRevoked() throws Exception {
    ApiKeys.NewKey made = keys.create("laptop");
    CountDownLatch read = new CountDownLatch(1);
    CountDownLatch revoked = new CountDownLatch(1);
    records.afterRead =
        () -> {
          read.countDown();
          revoked.await();
        };
    Thread verifier = Thread.ofVirtual().start(() -> keys.verify(made.key()));
    read.await();
    Thread revoker = Thread.ofVirtual().start(() -> keys.revoke(made.id()));
    records.revocation.await();
    revoked.countDown();
    verifier.join();
    revoker.join();
    records.afterRead = () -> {};
    assertThat(keys.verify(made.key())).isEmpty();
  }

  @Test
  void aNameIsWithinTheGrammarAndTakenOnce() {
    keys.create("laptop");
    assertThatThrownBy(() -> keys.create("laptop"))
        .isInstanceOf(ApiKeys.NameTakenException.class)
        .hasMessage("an API key named 'laptop' exists; choose another name or revoke it first");
    for (String name : List.of("", "-x", "a b", "a\n", "x".repeat(64))) {
      assertThatThrownBy(() -> keys.create(name))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("expected: 1 to 63 letters");
    }
  }

  @FunctionalInterface
  private interface Pause {
    void run() throws InterruptedException;
  }

  private static final class MemoryRecords implements ApiKeyRecords {
    private final Map<ByteBuffer, ApiKey> byHash = new ConcurrentHashMap<>();
    private final AtomicInteger reads = new AtomicInteger();
    private final CountDownLatch revocation = new CountDownLatch(1);
    private volatile Pause afterRead = () -> {};

    @Override
    public boolean add(ApiKey key, byte[] hash) {
      if (byHash.values().stream().anyMatch(k -> !k.revoked() && k.name().equals(key.name()))) {
        return false;
      }
      byHash.put(ByteBuffer.wrap(hash), key);
      return true;
    }

    @Override
    public List<ApiKey> all() {
      return List.copyOf(byHash.values());
    }

    @Override
    public Optional<ApiKey> findByHash(byte[] hash) {
      reads.incrementAndGet();
      Optional<ApiKey> found = Optional.ofNullable(byHash.get(ByteBuffer.wrap(hash)));
      try {
        afterRead.run();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      return found;
    }

    @Override
    public boolean revoke(String id) {
      boolean[] found = {false};
      byHash.replaceAll(
          (hash, key) -> {
            if (!key.id().equals(id)) {
              return key;
            }
            found[0] = true;
            return new ApiKey(
                key.id(), key.name(), key.createdAt(), true, key.required(), key.weight());
          });
      revocation.countDown();
      return found[0];
    }

    @Override
    public boolean weigh(String id, double weight) {
      boolean[] found = {false};
      byHash.replaceAll(
          (hash, key) -> {
            if (!key.id().equals(id)) {
              return key;
            }
            found[0] = true;
            return new ApiKey(
                id, key.name(), key.createdAt(), key.revoked(), key.required(), weight);
          });
      return found[0];
    }
  }
}
