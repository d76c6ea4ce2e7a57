package dev.cloister.bench.simulation;

import dev.cloister.bench.Report;
import dev.cloister.bench.Row;
import dev.cloister.bench.simulation.Simulation.Admission;
import dev.cloister.bench.simulation.Simulation.Member;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What routing is worth to a fleet, in simulated time: the coordinator's choice beside simpler ones
 * on the same nodes and requests. Ratios below 1 are in its favour. The load of a fleet is the part
 * that arrives of what its nodes can do at most, each prompt computed from its first token on.
 */
public final class FleetBenchmark {
  /** Of the arrivals: until then nothing is counted, whatever the policy. */
  private static final double WARM_UP = 0.1;

  /** Loads among which the most is looked for that a fleet does in time. */
  private static final List<Double> PEAK_LOADS = List.of(0.8, 1.0, 1.25, 1.5, 2.0, 3.0);

  private static final double OVERLOAD = 5;

  /** After so long without a token nobody waits any more; nginx, for one, does not. */
  private static final double PATIENCE_SECONDS = 60;

  private static final Rival ROUND_ROBIN = new Rival("round-robin", 0.5, RoundRobin::new);
  private static final Rival LEAST_CONNECTIONS =
      new Rival("least-connections", 0.8, LeastConnections::new);
  private static final Rival BLIND = new Rival("blind", 0.3, () -> new Predictive(true));

  private final boolean quick;
  private final long seed;
  private final List<Row> rows = new ArrayList<>();

  /** Who the coordinator's choice is compared with, and what the ratio is to be at most. */
  private record Rival(String name, double target, Supplier<Policy> policy) {
    Rival withoutTarget() {
      return new Rival(name, Double.NaN, policy);
    }
  }

  /**
   * Nodes and what they are asked.
   *
   * @param requests of each run
   */
  private record Scenario(String name, List<Member> fleet, List<List<Request>> requests) {}

  /**
   * @param quick fewer requests, nodes, and runs
   * @param seed of the first run; others have the next ones
   */
  public FleetBenchmark(boolean quick, long seed) {
    this.quick = quick;
    this.seed = seed;
  }

  /**
   * Simulates and reports.
   *
   * @param json gets the rows too, unless null
   * @throws IOException if that cannot be written
   */
  public void run(PrintWriter out, @Nullable Path json) throws IOException {
    List<Member> mixed = mixed(1);
    // In turn a laptop gets as much as the others: above a tenth of the load it never keeps up.
    completion(singles("load-5", mixed, 0.05), ROUND_ROBIN, LEAST_CONNECTIONS);
    completion(singles("load-25", mixed, 0.25), LEAST_CONNECTIONS);
    completion(singles("load-50", mixed, 0.5), LEAST_CONNECTIONS);
    completion(singles("load-75", mixed, 0.75), LEAST_CONNECTIONS);
    double half = 0.5 * singlesPerSecond(mixed);
    int count = singles(mixed);
    completion(
        new Scenario("bursts-50", mixed, runs(of -> Arrivals.bursts(of, count, half))),
        LEAST_CONNECTIONS);
    List<Member> large = mixed(quick ? 20 : 200);
    completion(singles(large.size() + "-nodes", large, 0.5), LEAST_CONNECTIONS);
    firstToken(chats("8-alike", Collections.nCopies(8, new Member(NodeKind.MID, true))), BLIND);
    // One node does nearly all of it here, blind or not: the ratio tells what trying others costs.
    firstToken(chats("mixed", mixed), BLIND.withoutTarget());
    goodput(mixed);
    report(out, json, "cloister bench fleet --seed " + seed);
  }

  /**
   * Simulates recorded requests on the mixed fleet, and reports.
   *
   * @param json gets the rows too, unless null
   * @throws IOException if that cannot be written
   */
  public void run(List<Request> recorded, PrintWriter out, @Nullable Path json) throws IOException {
    Scenario scenario = new Scenario("recorded", mixed(1), List.of(recorded));
    Rival[] rivals =
        Stream.of(ROUND_ROBIN, LEAST_CONNECTIONS, BLIND)
            .map(Rival::withoutTarget)
            .toArray(Rival[]::new);
    completion(scenario, rivals);
    firstToken(scenario, rivals);
    report(out, json, "cloister bench fleet --arrivals FILE");
  }

  private void report(PrintWriter out, @Nullable Path json, String command) throws IOException {
    Report.print(out, rows);
    if (json != null) {
      Report.write(json, "fleet", command, rows);
    }
  }

  /** A fast GPU, three nodes in between, and six laptops, so many times. */
  private static List<Member> mixed(int times) {
    List<Member> fleet = new ArrayList<>();
    for (int i = 0; i < times; i++) {
      fleet.add(new Member(NodeKind.FAST_GPU, true));
      fleet.addAll(Collections.nCopies(3, new Member(NodeKind.MID, true)));
      fleet.addAll(Collections.nCopies(6, new Member(NodeKind.LAPTOP, true)));
    }
    return List.copyOf(fleet);
  }

  private List<List<Request>> runs(LongFunction<List<Request>> arrivals) {
    return LongStream.range(seed, seed + runs()).mapToObj(arrivals).toList();
  }

  private int runs() {
    return quick ? 2 : 5;
  }

  private int singles(List<Member> fleet) {
    return Math.max(quick ? 500 : 2_000, 10 * fleet.size());
  }

  private static double singlesPerSecond(List<Member> fleet) {
    return perSecond(fleet, Arrivals.MEAN_PROMPT_TOKENS, Arrivals.MEAN_ANSWER_TOKENS);
  }

  private static double perSecond(List<Member> fleet, double promptTokens, double answerTokens) {
    return fleet.stream()
        .mapToDouble(node -> node.kind().requestsPerSecond(promptTokens, answerTokens))
        .sum();
  }

  private Scenario singles(String name, List<Member> fleet, double load) {
    double perSecond = load * singlesPerSecond(fleet);
    int count = singles(fleet);
    return new Scenario(name, fleet, runs(of -> Arrivals.steady(of, count, perSecond)));
  }

  private Scenario chats(String name, List<Member> fleet) {
    double turnsPerSecond =
        0.5 * perSecond(fleet, Arrivals.MEAN_CHAT_PROMPT_TOKENS, Arrivals.MEAN_CHAT_ANSWER_TOKENS);
    int conversations = quick ? 100 : 400;
    return new Scenario(
        "chats-" + name,
        fleet,
        runs(of -> Arrivals.chats(of, conversations, turnsPerSecond / Arrivals.TURNS)));
  }

  private void completion(Scenario scenario, Rival... rivals) {
    compare("completion", Completion::seconds, scenario, rivals);
  }

  private void firstToken(Scenario scenario, Rival... rivals) {
    compare("first-token", Completion::firstTokenSeconds, scenario, rivals);
  }

  private void compare(
      String what, ToDoubleFunction<Completion> time, Scenario scenario, Rival... rivals) {
    List<Double> own = means(scenario, () -> new Predictive(false), time);
    for (Rival rival : rivals) {
      List<Double> others = means(scenario, rival.policy, time);
      add(
          "%s-vs-%s-%s".formatted(what, rival.name, scenario.name),
          "",
          rival.target,
          IntStream.range(0, own.size()).mapToObj(i -> own.get(i) / others.get(i)).toList());
    }
    add(what + "-" + scenario.name, "s", Double.NaN, own);
  }

  private static List<Double> means(
      Scenario scenario, Supplier<Policy> policy, ToDoubleFunction<Completion> time) {
    return scenario.requests.stream()
        .map(requests -> mean(scenario.fleet, requests, policy.get(), time))
        .toList();
  }

  private static double mean(
      List<Member> fleet,
      List<Request> requests,
      Policy policy,
      ToDoubleFunction<Completion> time) {
    int first = (int) (WARM_UP * requests.size());
    return Simulation.run(fleet, requests, policy).stream()
        .filter(completion -> completion.request().id() >= first)
        .mapToDouble(time)
        .average()
        .orElseThrow();
  }

  /** What a fleet does under five times the load it can bear, beside the most it does in time. */
  private void goodput(List<Member> fleet) {
    List<Double> overloaded = new ArrayList<>();
    List<Double> ratios = new ArrayList<>();
    for (long run = seed; run < seed + runs(); run++) {
      long of = run;
      double goodput = goodput(fleet, OVERLOAD, of);
      double peak =
          PEAK_LOADS.stream()
              .mapToDouble(load -> goodput(fleet, load, of))
              .reduce(goodput, Math::max);
      overloaded.add(goodput);
      ratios.add(goodput / peak);
    }
    rows.add(new Row("goodput-vs-peak-load-500", "", 0.9, "higher", ratios));
    rows.add(new Row("goodput-load-500", "tokens/s", Double.NaN, "higher", overloaded));
  }

  /** Tokens a second of prompts and answers whose first token came while somebody waited. */
  private double goodput(List<Member> fleet, double load, long of) {
    double seconds = quick ? 200 : 1_000;
    double perSecond = load * singlesPerSecond(fleet);
    List<Request> requests = Arrivals.steady(of, (int) (seconds * perSecond), perSecond);
    double begin = 2 * WARM_UP * seconds;
    double tokens =
        Simulation.run(fleet, requests, new Predictive(false), Admission.BOUNDED).stream()
            .filter(done -> done.firstTokenSeconds() <= PATIENCE_SECONDS)
            .filter(done -> done.endNanos() > begin * 1e9 && done.endNanos() <= seconds * 1e9)
            .mapToDouble(done -> done.request().prompt().tokens() + done.request().answerTokens())
            .sum();
    return tokens / (seconds - begin);
  }

  private void add(String id, String unit, double target, List<Double> values) {
    rows.add(new Row(id, unit, target, "lower", values));
  }
}
