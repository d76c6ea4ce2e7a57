package dev.cloister.coordinator.routing.choice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.common.collect.HashMultiset;
import com.google.common.collect.Multiset;
import org.junit.jupiter.api.Test;

/** Nodes and kinds of which little or nothing was seen. */
class NewNodesTest extends TestLedger {
  @Test
  void aNodeNotMeasuredYetCountsAsOthersOfItsKindOrAsTheFastestKind() {
    join("slow desk", "desk");
    join("fast desk", "desk");
    join("server", "server");
    answer("slow desk", 64, 100);
    answer("fast desk", 64, 50);
    answer("server", 64, 10);
    join("new desk", "desk");
    join("new thing", "thing");
    assertThat(at("new desk").speed().measured()).isFalse();
    assertThat(at("new desk").speed().tokenSeconds(1)).isCloseTo(0.075, within(0.001));
    assertThat(at("new thing").speed().tokensPerSecond(1)).isCloseTo(100, within(0.1));
  }

  @Test
  void aNodeThatJoinsUnderLoadGetsTheNextRequests() {
    join("a", "desk");
    answer("a", 64, 20);
    for (int i = 0; i < 12; i++) {
      begin("a");
    }
    join("b", "desk");
    for (int i = 0; i < 4; i++) {
      assertThat(give()).isEqualTo("b");
    }
  }

  @Test
  void aFirstMeasurementThatIsFiveTimesTooSlowDoesNotKeepANodeFromTakingPart() {
    join("desk", "pc");
    join("rack", "pc");
    answer("desk", 64, 20);
    answer("rack", 16, 20);
    answer("rack", 16, 100);
    Multiset<String> given = HashMultiset.create();
    for (int i = 0; i < 16; i++) {
      given.add(give());
      assertThat(given.count("rack") > 0 || given.count("desk") <= 4).isTrue();
    }
    assertThat(given.count("rack")).isBetween(4, 8);
  }

  @Test
  void aFirstMeasurementThatIsFiveTimesTooFastDrawsNoHerd() {
    join("desk", "pc");
    join("rack", "pc");
    answer("desk", 64, 20);
    answer("rack", 16, 20);
    answer("rack", 16, 4);
    Multiset<String> given = HashMultiset.create();
    for (int i = 0; i < 16; i++) {
      given.add(give());
    }
    assertThat(given.count("desk")).isBetween(4, 8);
  }

  @Test
  void aKindThatIsNotKnownIsTriedByOneRequest() {
    join("server", "server");
    answer("server", 64, 10);
    for (int i = 0; i < 6; i++) {
      join("laptop" + i, "laptop");
    }
    Multiset<String> given = HashMultiset.create();
    for (int i = 0; i < 6; i++) {
      given.add(give());
    }
    assertThat(given.count("server")).isEqualTo(5);
  }

  @Test
  void aKindThatIsSeenIsTriedNoMore() {
    join("server", "server");
    answer("server", 64, 10);
    join("laptop1", "laptop");
    join("laptop2", "laptop");
    answer("laptop1", 64, 100);
    now += 700_000 * MILLI;
    ledger.refresh(now);
    assertThat(decide().ready().orElseThrow().candidate().nodeId()).isEqualTo("server");
    assertThat(at("laptop2").speed().tokensPerSecond(1)).isCloseTo(10, within(0.1));
  }

  @Test
  void kindsOfWhichNothingIsKnownShareEvenly() {
    join("desk", "desk");
    join("rack", "rack");
    Multiset<String> given = HashMultiset.create();
    for (int i = 0; i < 16; i++) {
      given.add(give());
    }
    assertThat(given.count("desk")).isEqualTo(8);
  }
}
