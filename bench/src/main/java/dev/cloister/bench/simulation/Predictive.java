package dev.cloister.bench.simulation;

import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.coordinator.labels.Labels;
import dev.cloister.coordinator.routing.answer.AnswerLengths;
import dev.cloister.coordinator.routing.choice.Ask;
import dev.cloister.coordinator.routing.choice.Ask.Wait;
import dev.cloister.coordinator.routing.choice.Candidate;
import dev.cloister.coordinator.routing.choice.Decision;
import dev.cloister.coordinator.routing.choice.Host;
import dev.cloister.coordinator.routing.choice.ModelLedger;
import dev.cloister.coordinator.routing.choice.Prediction;
import dev.cloister.coordinator.routing.choice.Work;
import dev.cloister.coordinator.routing.prefix.PrefixIndex;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * The coordinator's own choice: its ledger, its router, its expectation of the length of answers,
 * and its index of prefixes, told what they are told when they serve. The index forgets, by chance,
 * what it has no room for: a run whose shared beginnings outgrow it may differ from the next.
 */
public final class Predictive implements Policy {
  private static final String MODEL = "model";
  private static final int BYTES_PER_TOKEN = 4;

  private final boolean blind;
  private final ModelLedger ledger = new ModelLedger();
  private final PrefixIndex prefixes = new PrefixIndex();
  private final AnswerLengths lengths = new AnswerLengths();
  private final Map<Integer, Work> works = new HashMap<>();
  private final Map<String, Integer> nodes = new HashMap<>();
  private Optional<Candidate> toLoad = Optional.empty();

  /**
   * @param blind whether it is kept from it what nodes hold of prompts
   */
  public Predictive(boolean blind) {
    this.blind = blind;
  }

  private static String id(int node) {
    return "node-" + node;
  }

  private static Tenant tenant(Request request) {
    return Tenant.ofApiKey(request.caller(), Labels.NONE);
  }

  @Override
  public void node(int node, NodeKind kind, OptionalDouble loadSeconds, long nanos) {
    String id = id(node);
    nodes.put(id, node);
    ledger.put(new Host(id, id, kind.name(), kind.slots(), true, false, loadSeconds));
  }

  @Override
  public void loading(int node, long nanos) {
    ledger.loading(id(node));
  }

  @Override
  public OptionalInt place(Request request, boolean othersWait, long nanos) {
    int characters = Prompt.CHARACTERS_PER_TOKEN * request.prompt().tokens();
    Ask ask =
        ledger
            .ask(characters, answerTokens(request))
            .with(othersWait ? Wait.BRIEFLY : Wait.FOR_THE_BEST);
    Map<String, Integer> cached = blind ? Map.of() : prefixes.find(request.prompt().marks());
    Decision decision = ledger.choose(ask, cached, candidate -> true, nanos);
    toLoad = decision.toLoad(0);
    Optional<Prediction> chosen = decision.ready();
    chosen.ifPresent(node -> works.put(request.id(), ledger.began(node, characters, nanos)));
    return number(chosen.map(Prediction::candidate));
  }

  @Override
  public OptionalInt toLoad() {
    return number(toLoad);
  }

  private OptionalInt number(Optional<Candidate> node) {
    return node.stream().mapToInt(known -> of(nodes, known.nodeId())).findFirst();
  }

  private int answerTokens(Request request) {
    return Math.max(1, lengths.expected(tenant(request), MODEL, 0));
  }

  @Override
  public int expectedTokens(Request request) {
    return request.prompt().tokens() + answerTokens(request);
  }

  @Override
  public void started(Request request, int cachedTokens, long nanos) {
    ledger.started(of(works, request.id()), request.prompt().tokens(), cachedTokens, nanos);
  }

  @Override
  public void made(Request request, long nanos) {
    ledger.made(of(works, request.id()), 1, BYTES_PER_TOKEN, nanos);
  }

  @Override
  public void ended(Request request, int node, long nanos) {
    ledger.ended(of(works, request.id()), nanos);
    works.remove(request.id());
    lengths.ended(tenant(request), MODEL, request.answerTokens());
  }

  @Override
  public void told(int node, List<Long> held, List<Integer> tokens, List<Long> dropped) {
    if (!blind) {
      prefixes.told(id(node), MODEL, false, held, tokens, dropped);
    }
  }

  @Override
  public void tick(long nanos) {
    ledger.refresh(nanos);
  }

  private static <K, V> V of(Map<K, V> map, K key) {
    V value = map.get(key);
    if (value == null) {
      throw new IllegalStateException("nothing is known of " + key);
    }
    return value;
  }
}
