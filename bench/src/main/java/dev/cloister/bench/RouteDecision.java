package dev.cloister.bench;

import dev.cloister.coordinator.routing.choice.Ask;
import dev.cloister.coordinator.routing.choice.Decision;
import dev.cloister.coordinator.routing.choice.Host;
import dev.cloister.coordinator.routing.choice.ModelLedger;
import dev.cloister.coordinator.routing.choice.Prediction;
import dev.cloister.coordinator.routing.choice.Work;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * A decision among nodes that all have the model, are measured, and are busy each in its own way;
 * the request is counted where it goes, and its end as well.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class RouteDecision {
  private static final int CHARACTERS = 4_000;

  /** Nodes that hold the beginning of the prompt. */
  private static final int HOLDERS = 8;

  @Param({"1000", "10000"})
  public int nodes;

  private final ModelLedger ledger = new ModelLedger();
  private final Map<String, Integer> cachedTokens = new HashMap<>();
  private long now = 1;

  /** Has all nodes answer a few requests, and gives them some that stay. */
  @Setup
  public void fill() {
    Random random = new Random(7);
    for (int i = 0; i < nodes; i++) {
      String id = "node-" + i;
      Host host = new Host(id, id, "kind " + i % 10, 4, true, false, OptionalDouble.empty());
      ledger.put(host);
      ledger.roundTrip(id, random.nextDouble() / 100);
      answer(id, 5 + random.nextInt(100));
      for (int waiting = random.nextInt(6); waiting > 0; waiting--) {
        begin(id, 50 + random.nextInt(500));
      }
      if (i % (nodes / HOLDERS) == 0) {
        cachedTokens.put(id, 100 + random.nextInt(800));
      }
    }
  }

  private void answer(String node, int millisPerToken) {
    Work work = begin(node, 100);
    ledger.started(work, 1_000, 0, now);
    for (int token = 0; token < 32; token++) {
      now += millisPerToken * 1_000_000L;
      ledger.made(work, 1, 4, now);
    }
    ledger.ended(work, now);
  }

  private Work begin(String node, int answerTokens) {
    Ask ask = ledger.ask(CHARACTERS, answerTokens);
    return ledger.began(
        new Prediction(ledger.candidate(node).orElseThrow(), ask, 0), CHARACTERS, now);
  }

  /** Decides, counts, and takes the count back. */
  @Benchmark
  public Decision decide() {
    Decision decision =
        ledger.choose(ledger.ask(CHARACTERS, 200), cachedTokens, candidate -> true, now);
    Work work = ledger.began(decision.predictions().getFirst(), CHARACTERS, now);
    ledger.ended(work, now);
    return decision;
  }
}
