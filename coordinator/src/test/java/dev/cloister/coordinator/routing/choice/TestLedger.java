package dev.cloister.coordinator.routing.choice;

import java.util.Map;
import java.util.OptionalDouble;

/** A ledger, and nodes that join it and answer as a test says. */
abstract class TestLedger {
  static final long MILLI = 1_000_000;
  static final int PROMPT = 1_000;

  final ModelLedger ledger = new ModelLedger();
  long now = 1_000 * MILLI;

  /** Has a request go where it is decided, and stay there. */
  String give() {
    Decision decision = decide();
    ledger.began(decision.predictions().getFirst(), PROMPT, now);
    return decision.ready().orElseThrow().candidate().nodeId();
  }

  void answers(int atOnce, int tokens, int millisPerToken) {
    Work[] works = new Work[atOnce];
    for (int i = 0; i < atOnce; i++) {
      works[i] = begin("a");
      ledger.started(works[i], 250, 0, now);
      ledger.made(works[i], 1, 4, now);
    }
    for (int token = 0; token < tokens; token++) {
      now += millisPerToken * MILLI;
      for (Work work : works) {
        ledger.made(work, 1, 4, now);
      }
    }
    for (Work work : works) {
      ledger.ended(work, now);
    }
  }

  void answer(String node, int tokens, int millisPerToken) {
    Work work = begin(node);
    ledger.started(work, 250, 0, now);
    for (int i = 0; i < tokens; i++) {
      now += millisPerToken * MILLI;
      ledger.made(work, 1, 4, now);
    }
    ledger.ended(work, now);
  }

  void join(String node, String kind) {
    ledger.put(new Host(node, node, kind, 4, true, false, OptionalDouble.empty()));
  }

  Work begin(String node) {
    return begin(node, PROMPT);
  }

  Work begin(String node, int characters) {
    return ledger.began(new Prediction(at(node), ledger.ask(characters, 100), 0), characters, now);
  }

  Decision decide() {
    return ledger.choose(ledger.ask(PROMPT, 100), Map.of(), candidate -> true, now);
  }

  Candidate at(String node) {
    return ledger.candidate(node).orElseThrow();
  }
}
