package dev.cloister.bench.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import dev.cloister.bench.simulation.Prompt.Segment;
import dev.cloister.bench.simulation.Simulation.Admission;
import dev.cloister.bench.simulation.Simulation.Member;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class SimulationTest {
  private static final Member MID = new Member(NodeKind.MID, true);

  private static final List<Member> MIXED =
      List.of(
          new Member(NodeKind.FAST_GPU, true),
          MID,
          MID,
          new Member(NodeKind.LAPTOP, true),
          new Member(NodeKind.LAPTOP, false));

  private static final List<Supplier<Policy>> POLICIES =
      List.of(
          RoundRobin::new,
          LeastConnections::new,
          () -> new Predictive(true),
          () -> new Predictive(false));

  private static final List<List<Request>> ARRIVALS =
      List.of(Arrivals.steady(1, 200, 2), Arrivals.bursts(2, 200, 4), Arrivals.chats(3, 30, 0.5));

  private static Request at(int id, double seconds, int promptTokens, int answerTokens) {
    return new Request(
        id,
        Request.NONE,
        Math.round(seconds * 1e9),
        "caller",
        new Prompt(List.of(new Segment(id, promptTokens))),
        answerTokens);
  }

  @Test
  void the_same_requests_and_policy_give_the_same_run() {
    for (Supplier<Policy> policy : POLICIES) {
      for (List<Request> requests : ARRIVALS) {
        assertThat(Simulation.run(MIXED, requests, policy.get()))
            .isEqualTo(Simulation.run(MIXED, requests, policy.get()));
      }
    }
  }

  @Test
  void the_same_seed_gives_the_same_requests_and_another_seed_others() {
    assertThat(Arrivals.chats(3, 30, 0.5)).isEqualTo(ARRIVALS.get(2));
    assertThat(Arrivals.chats(4, 30, 0.5)).isNotEqualTo(ARRIVALS.get(2));
  }

  @Test
  void every_request_is_answered_once_whatever_the_policy() {
    for (Supplier<Policy> policy : POLICIES) {
      for (List<Request> requests : ARRIVALS) {
        List<Completion> completions = Simulation.run(MIXED, requests, policy.get());

        assertThat(completions)
            .extracting(Completion::request)
            .containsExactlyInAnyOrderElementsOf(requests);
        assertThat(completions)
            .allMatch(done -> done.arrivedNanos() >= done.request().nanos())
            .allMatch(done -> done.firstTokenNanos() > done.arrivedNanos())
            .allMatch(done -> done.endNanos() >= done.firstTokenNanos());
      }
    }
  }

  @Test
  void more_requests_than_all_queues_take_wait_and_are_answered_in_turn() {
    List<Request> requests =
        IntStream.range(0, 100).mapToObj(id -> at(id, id * 0.001, 100, 10)).toList();

    List<Completion> completions = Simulation.run(List.of(MID), requests, new Predictive(false));

    assertThat(completions).hasSize(100);
    assertThat(completions).extracting(done -> done.request().id()).isSorted();
  }

  @Test
  void what_waits_too_long_is_refused_and_all_else_is_answered_once() {
    List<Request> requests =
        IntStream.range(0, 2_000).mapToObj(id -> at(id, id * 0.01, 500, 100)).toList();

    List<Completion> completions =
        Simulation.run(List.of(MID), requests, new Predictive(false), Admission.BOUNDED);

    // What the node's own queue takes, and what it has done when the last ones give up.
    assertThat(completions).hasSizeBetween(40, 150);
    assertThat(completions).extracting(done -> done.request().id()).doesNotHaveDuplicates();
  }

  @Test
  void under_overload_what_is_answered_is_begun_soon_after_its_turn() {
    List<Member> fleet = List.of(new Member(NodeKind.FAST_GPU, true), MID, MID, MID);
    List<Request> requests = Arrivals.steady(1, 5_000, 30);

    List<Completion> completions =
        Simulation.run(fleet, requests, new Predictive(false), Admission.BOUNDED);

    assertThat(completions).hasSizeGreaterThan(900);
    assertThat(completions).allMatch(done -> done.firstTokenSeconds() < 60);
    assertThat(completions.stream().filter(done -> done.firstTokenSeconds() < 40).count())
        .isGreaterThan(completions.size() * 9L / 10);
  }

  @Test
  void what_would_follow_a_refused_request_does_not_come() {
    List<Request> conversations =
        IntStream.range(0, 400)
            .mapToObj(
                id ->
                    new Request(
                        id,
                        id % 2 == 0 ? Request.NONE : id - 1,
                        1_000_000_000L,
                        "caller",
                        prompt(new Segment(id / 2, 1_000), 100),
                        50))
            .toList();

    List<Completion> completions =
        Simulation.run(
            List.of(MID), conversations, new Predictive(false), new Admission(10, 10, 1));

    assertThat(completions).extracting(done -> done.request().id()).contains(0, 1);
    assertThat(completions).hasSizeLessThan(200);
  }

  @Test
  void a_request_alone_takes_what_its_node_takes() {
    Completion done =
        Simulation.run(List.of(MID), List.of(at(0, 1, 1_000, 101)), new RoundRobin()).getFirst();

    // Two pieces of the prompt, 512 and 488 tokens; the first token comes with the second.
    assertThat(done.firstTokenSeconds()).isCloseTo(1.0, within(1e-6));
    assertThat(done.seconds()).isCloseTo(1.0 + 100 * 0.026, within(1e-6));
  }

  @Test
  void a_turn_comes_after_the_answer_to_the_one_before_and_finds_what_its_node_holds() {
    Segment handbook = new Segment(7, 2_000);
    Request first = new Request(0, -1, 0, "a", prompt(handbook, 100), 50);
    Request second = new Request(1, 0, 5_000_000_000L, "a", prompt(handbook, 250), 50);

    List<Completion> completions =
        Simulation.run(List.of(MID), List.of(first, second), new RoundRobin());

    assertThat(completions.getLast().arrivedNanos())
        .isEqualTo(completions.getFirst().endNanos() + 5_000_000_000L);
    assertThat(completions.getLast().cachedTokens()).isEqualTo(2_150);
  }

  private static Prompt prompt(Segment shared, int own) {
    return new Prompt(List.of(shared, new Segment(8, own)));
  }

  @Test
  void conversations_stay_where_their_state_is_unless_the_router_is_blind() {
    List<Member> alike = List.of(MID, MID, MID, MID);
    List<Request> chats = Arrivals.chats(5, 20, 0.05);

    assertThat(computed(alike, chats, false)).isLessThan(computed(alike, chats, true) / 2);
  }

  /** Tokens of prompts that were not cached. */
  private static long computed(List<Member> fleet, List<Request> requests, boolean blind) {
    return Simulation.run(fleet, requests, new Predictive(blind)).stream()
        .mapToLong(done -> done.request().prompt().tokens() - done.cachedTokens())
        .sum();
  }

  @Test
  void a_model_is_loaded_a_second_time_when_the_queue_is_worth_it_and_not_before() {
    List<Member> oneCold = List.of(MID, new Member(NodeKind.MID, false));
    List<Request> few = List.of(at(0, 1, 500, 100), at(1, 20, 500, 100));
    List<Request> many =
        IntStream.range(0, 60).mapToObj(id -> at(id, 1 + id * 0.01, 500, 100)).toList();

    assertThat(Simulation.run(oneCold, few, new Predictive(false)))
        .extracting(Completion::node)
        .containsOnly(0);
    assertThat(Simulation.run(oneCold, many, new Predictive(false)))
        .extracting(Completion::node)
        .contains(0, 1);
  }

  @Test
  void a_request_that_is_never_placed_ends_the_run_with_an_error() {
    Policy nowhere =
        new Policy() {
          @Override
          public OptionalInt place(Request request, boolean othersWait, long nanos) {
            return OptionalInt.empty();
          }

          @Override
          public void node(int node, NodeKind kind, OptionalDouble loadSeconds, long nanos) {}
        };

    assertThatIllegalStateException()
        .isThrownBy(() -> Simulation.run(List.of(MID), List.of(at(0, 1, 10, 10)), nowhere))
        .withMessageContaining("0 of 1 requests are answered");
  }

  @Test
  void thousands_of_nodes_share_the_work() {
    List<Member> fleet = Stream.generate(() -> MID).limit(3_000).toList();
    List<Request> requests =
        IntStream.range(0, 6_000).mapToObj(id -> at(id, id * 0.001, 200, 20)).toList();

    assertThat(Simulation.run(fleet, requests, new Predictive(false)))
        .hasSize(6_000)
        .extracting(Completion::node)
        .satisfies(nodes -> assertThat(nodes.stream().distinct().count()).isGreaterThan(500));
  }
}
