package dev.cloister.coordinator.routing.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FairQueueTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long NEVER = Long.MAX_VALUE;

  private final FairQueue<String> queue = new FairQueue<>(100, 60);
  private int offered;

  @Test
  void whoHasOneWaitingIsNextThoughAnotherHasFifty() {
    for (int i = 0; i < 50; i++) {
      offer("crowd", 100);
    }
    offer("one", 100);
    assertThat(next()).startsWith("one");
  }

  @Test
  void whoComesWhileACrowdIsServedIsNext() {
    for (int i = 0; i < 53; i++) {
      offer("crowd", 100);
    }
    for (int i = 0; i < 3; i++) {
      next();
    }
    offer("one", 5_000);
    assertThat(next()).startsWith("one");
    assertThat(next()).startsWith("crowd");
  }

  @Test
  void whatACallerHasWaitingIsServedAsItCame() {
    List<String> came =
        List.of(offer("a", 10).item(), offer("a", 500).item(), offer("a", 1).item());
    assertThat(List.of(next(), next(), next())).isEqualTo(came);
    assertThat(queue.poll((item, othersWait) -> true, 0)).isEmpty();
  }

  @Test
  void turnsGoByTokensAndNotByRequests() {
    for (int i = 0; i < 40; i++) {
      offer("short", 10);
      offer("long", 100);
    }
    Map<String, Integer> turns = turns(33);
    assertThat(turns.get("short")).isEqualTo(30);
    assertThat(turns.get("long")).isEqualTo(3);
  }

  @Test
  void aCallerWithTwiceTheWeightGetsTwiceTheTokens() {
    for (int i = 0; i < 40; i++) {
      queue.offer(new Claim<>("a", 1, 100, NEVER, "a"), 0);
      queue.offer(new Claim<>("b", 2, 100, NEVER, "b"), 0);
    }
    assertThat(turns(30)).containsEntry("a", 10).containsEntry("b", 20);
  }

  @Test
  void whoWasAwayHasNoCreditForThatTime() {
    for (int i = 0; i < 50; i++) {
      offer("steady", 100);
    }
    turns(30);
    for (int i = 0; i < 20; i++) {
      offer("back", 100);
    }
    assertThat(turns(20).get("back")).isBetween(10, 11);
  }

  @Test
  void whoGotMoreThanExpectedWaitsUntilTheOthersHadAsMuch() {
    for (int i = 0; i < 20; i++) {
      offer("a", 100);
      offer("b", 100);
    }
    Ticket<String> a = poll();
    Ticket<String> b = poll();
    assertThat(a.item() + b.item()).contains("a").contains("b");
    queue.settle(a, 600);
    queue.settle(b, 100);
    queue.settle(b, 9_999);
    assertThat(turns(5)).containsOnlyKeys(a.item().startsWith("a") ? "b" : "a");
  }

  @Test
  void whoGotLessThanExpectedIsNextAgain() {
    for (int i = 0; i < 20; i++) {
      offer("a", 100);
      offer("b", 100);
    }
    Ticket<String> first = poll();
    next();
    queue.settle(first, 10);
    assertThat(next()).startsWith(first.item().substring(0, 1));
  }

  @Test
  void whoGotTooMuchIsNotForgivenByGoingAwayWhileOthersAreServed() {
    offer("b", 100);
    offer("b", 100);
    Ticket<String> running = poll();
    offer("a", 100);
    queue.settle(poll(), 1_000);
    offer("a", 100);
    for (int i = 0; i < 6; i++) {
      offer("b", 100);
    }
    assertThat(turns(6)).containsOnlyKeys("b");
    queue.settle(running, 100);
  }

  @Test
  void whenNobodyIsServedAnyMoreWhoGotWhatIsForgotten() {
    offer("a", 1_000);
    queue.settle(poll(), 100_000);
    offer("b", 100);
    offer("b", 100);
    offer("a", 100);
    assertThat(turns(2)).containsOnlyKeys("a", "b");
  }

  @Test
  void whatIsNotTakenKeepsItsTurnAndTheNextCallerIsAsked() {
    offer("a", 100);
    offer("b", 100);
    offer("b", 100);
    assertThat(queue.poll((item, othersWait) -> item.startsWith("b"), 0).orElseThrow().item())
        .startsWith("b");
    assertThat(queue.poll((item, othersWait) -> false, 0)).isEmpty();
    assertThat(queue.size()).isEqualTo(2);
    assertThat(next()).startsWith("a");
  }

  @Test
  void whoTakesIsToldWhetherOthersWaitThatWereNotTaken() {
    List<Boolean> told = new ArrayList<>();
    offer("a", 100);
    offer("b", 100);
    assertThat(queue.poll((item, othersWait) -> told.add(othersWait) && othersWait, 0)).isPresent();
    assertThat(told).containsExactly(false, false, true);
    assertThat(queue.poll((item, othersWait) -> othersWait, 0)).isPresent();
    offer("c", 100);
    assertThat(queue.poll((item, othersWait) -> !othersWait, 0)).isPresent();
  }

  @Test
  void whatIsLateIsGivenBackOnceAndNeverServed() {
    Ticket<String> late = offer("a", 100, 2 * SECOND);
    Ticket<String> intime = offer("a", 100, 3 * SECOND);
    assertThat(queue.expire(2 * SECOND - 1)).isEmpty();
    assertThat(queue.poll((item, othersWait) -> true, 2 * SECOND)).contains(intime);
    assertThat(queue.expire(2 * SECOND)).containsExactly(late);
    assertThat(queue.expire(9 * SECOND)).isEmpty();
    assertThat(queue.size()).isZero();
  }

  @Test
  void whatIsCancelledIsNeitherServedNorGivenBack() {
    Ticket<String> cancelled = offer("a", 100, SECOND);
    Ticket<String> other = offer("a", 100);
    assertThat(queue.cancel(cancelled, 0)).isTrue();
    assertThat(queue.cancel(cancelled, 0)).isFalse();
    assertThat(poll()).isEqualTo(other);
    assertThat(queue.cancel(other, 0)).isFalse();
    assertThat(queue.expire(2 * SECOND)).isEmpty();
  }

  @Test
  void oneCallerCannotTakeAllTheRoom() {
    for (int i = 0; i < 60; i++) {
      offer("crowd", 100);
    }
    assertThat(queue.offer(claim("crowd", 100, NEVER), 0)).isInstanceOf(Offer.CallerFull.class);
    for (int i = 0; i < 40; i++) {
      offer("other", 100);
    }
    assertThat(queue.offer(claim("other", 100, NEVER), 0)).isInstanceOf(Offer.QueueFull.class);
    assertThat(queue.offer(claim("third", 100, NEVER), 0)).isInstanceOf(Offer.QueueFull.class);
    next();
    assertThat(queue.offer(claim("third", 100, NEVER), 0)).isInstanceOf(Offer.Waiting.class);
  }

  @Test
  void whatIsLateMakesRoom() {
    for (int i = 0; i < 60; i++) {
      offer("a", 100, SECOND);
    }
    assertThat(queue.offer(claim("a", 100, NEVER), SECOND)).isInstanceOf(Offer.Waiting.class);
    assertThat(queue.expire(SECOND)).hasSize(60);
  }

  @Test
  void impossibleBoundsAndClaimsAreRefused() {
    assertThatThrownBy(() -> new FairQueue<String>(10, 11))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("10 waiting, 11 per caller");
    assertThatThrownBy(() -> new Claim<>("a", 0, 1, 0, "item"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("weight: 0.0");
    assertThatThrownBy(() -> new Claim<>("a", 1, 0, 0, "item"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tokens: 0");
  }

  /**
   * Some callers send much and long, some little at a time; what is expected is wrong by up to a
   * factor of four either way.
   */
  @Test
  void underOverloadWhatCallersGetDiffersByLessThanATenth() {
    for (long seed = 0; seed < 50; seed++) {
      Random random = new Random(seed);
      double[] weights = new double[2 + random.nextInt(5)];
      Arrays.fill(weights, 1);
      assertFair(seed, random, weights);
    }
  }

  @Test
  void underOverloadCallersGetWhatTheirWeightsSay() {
    for (long seed = 0; seed < 50; seed++) {
      Random random = new Random(seed);
      assertFair(seed, random, new double[] {1, 1 + random.nextInt(4), 0.5});
    }
  }

  private record Run(double end, int caller, int tokens, Ticket<Integer> ticket) {}

  private static void assertFair(long seed, Random random, double[] weights) {
    int callers = weights.length;
    int slots = 1 + random.nextInt(8);
    FairQueue<Integer> overloaded = new FairQueue<>(1_000, 100);
    int[] mostTokens = random.ints(callers, 20, 800).toArray();
    int[] atOnce = random.ints(callers, 2 * slots, 60).toArray();
    int[] waiting = new int[callers];
    double[] served = new double[callers];
    PriorityQueue<Run> running = new PriorityQueue<>(Comparator.comparingDouble(Run::end));
    double time = 0;
    for (int turn = 0; turn < 10_000; turn++) {
      long nanos = (long) (time * 1e9);
      for (int caller = 0; caller < callers; caller++) {
        while (waiting[caller] < atOnce[caller]) {
          int expected = 1 + random.nextInt(mostTokens[caller]);
          overloaded.offer(
              new Claim<>("caller" + caller, weights[caller], expected, NEVER, caller), nanos);
          waiting[caller]++;
        }
      }
      while (running.size() < slots) {
        Ticket<Integer> next = overloaded.poll((item, othersWait) -> true, nanos).orElseThrow();
        waiting[next.item()]--;
        int tokens =
            (int) Math.ceil(next.claim.tokens() * Math.pow(4, 2 * random.nextDouble() - 1));
        running.add(new Run(time + tokens / 10.0, next.item(), tokens, next));
      }
      Run over = running.remove();
      time = over.end();
      served[over.caller()] += over.tokens() / weights[over.caller()];
      overloaded.settle(over.ticket(), over.tokens());
    }
    double least = Arrays.stream(served).min().orElseThrow();
    double most = Arrays.stream(served).max().orElseThrow();
    assertThat(most / least).as("seed %d", seed).isLessThan(1.1);
  }

  @Test
  void eachTicketEndsInExactlyOneWayWhateverHappens() {
    for (long seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      FairQueue<String> any = new FairQueue<>(12, 5);
      List<Ticket<String>> waiting = new ArrayList<>();
      List<Ticket<String>> served = new ArrayList<>();
      long nanos = 0;
      for (int step = 0; step < 300; step++) {
        nanos += random.nextInt(3);
        switch (random.nextInt(5)) {
          case 0, 1 -> {
            String caller = "c" + random.nextInt(4);
            Claim<String> claim =
                new Claim<>(
                    caller, 1 + random.nextInt(3), 1 + random.nextInt(50), nanos + 30, caller);
            if (any.offer(claim, nanos) instanceof Offer.Waiting<String>(Ticket<String> ticket)) {
              waiting.add(ticket);
            }
          }
          case 2 -> {
            Optional<Ticket<String>> turn =
                any.poll((item, othersWait) -> random.nextInt(4) > 0, nanos);
            if (turn.isPresent()) {
              assertThat(waiting.remove(turn.get())).as("seed %d", seed).isTrue();
              served.add(turn.get());
            }
          }
          case 3 -> {
            if (!served.isEmpty()) {
              any.settle(served.remove(random.nextInt(served.size())), random.nextInt(100));
            }
          }
          default -> {
            waiting.removeAll(any.expire(nanos));
            if (!waiting.isEmpty()) {
              Ticket<String> ticket = waiting.remove(random.nextInt(waiting.size()));
              assertThat(any.cancel(ticket, nanos)).as("seed %d", seed).isTrue();
            }
          }
        }
        waiting.removeAll(any.expire(nanos));
        assertThat(any.size()).as("seed %d, step %d", seed, step).isEqualTo(waiting.size());
      }
    }
  }

  private Ticket<String> offer(String caller, int tokens) {
    return offer(caller, tokens, NEVER);
  }

  private Ticket<String> offer(String caller, int tokens, long deadlineNanos) {
    Offer<String> offer = queue.offer(claim(caller, tokens, deadlineNanos), 0);
    return switch (offer) {
      case Offer.Waiting<String>(Ticket<String> ticket) -> ticket;
      case Offer.CallerFull<String> _, Offer.QueueFull<String> _, Offer.TooLate<String> _ ->
          throw new AssertionError("no room");
    };
  }

  private Claim<String> claim(String caller, int tokens, long deadlineNanos) {
    return new Claim<>(caller, 1, tokens, deadlineNanos, caller + " " + ++offered);
  }

  private Ticket<String> poll() {
    return queue.poll((item, othersWait) -> true, 0).orElseThrow();
  }

  private String next() {
    return poll().item();
  }

  /** How many of the next turns each caller has. */
  private Map<String, Integer> turns(int count) {
    Map<String, Integer> turns = new HashMap<>();
    for (int i = 0; i < count; i++) {
      turns.merge(next().split(" ", 2)[0], 1, Integer::sum);
    }
    return turns;
  }
}
