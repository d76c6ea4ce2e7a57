package dev.cloister.bench.simulation;

import dev.cloister.bench.simulation.Prompt.Segment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Requests made up: lengths of prompts and answers are log-normal, as they are where chats are
 * recorded (a few are much longer than most). All that is random comes from the seed.
 */
public final class Arrivals {
  /** Of {@link #steady} and {@link #bursts}, about. */
  public static final double MEAN_PROMPT_TOKENS = 600;

  /** The same of answers. */
  public static final double MEAN_ANSWER_TOKENS = 170;

  /** Of {@link #chats}, about, all turns together. */
  public static final double MEAN_CHAT_PROMPT_TOKENS = 3_500;

  /** The same of answers. */
  public static final double MEAN_CHAT_ANSWER_TOKENS = 120;

  /** Questions that a conversation has. */
  public static final int TURNS = 6;

  private static final int CALLERS = 20;
  private static final double LEAST_CALLER_MEAN = 50;
  private static final double MOST_CALLER_MEAN = 400;
  private static final double MEAN_BURST = 20;
  private static final double BURST_SECONDS = 1;
  private static final int ASSISTANTS = 8;
  private static final double MEAN_QUESTION_TOKENS = 60;
  private static final double MEAN_THINKING_SECONDS = 20;
  private static final int LONGEST_PROMPT = 6_000;
  private static final int LONGEST_ANSWER = 1_500;

  /** Above every other name of a segment. */
  private static final long CONVERSATIONS = 1L << 32;

  private final Random random;
  private final List<Request> requests = new ArrayList<>();

  private Arrivals(long seed) {
    this.random = new Random(seed);
  }

  /** Independent requests of twenty callers, whose answers are of 50 to 400 tokens on average. */
  public static List<Request> steady(long seed, int count, double perSecond) {
    Arrivals arrivals = new Arrivals(seed);
    double seconds = 0;
    while (arrivals.requests.size() < count) {
      seconds += arrivals.exponential(1 / perSecond);
      arrivals.single(seconds);
    }
    return List.copyOf(arrivals.requests);
  }

  /** The same, but twenty come within a second, on average, and then none for a while. */
  public static List<Request> bursts(long seed, int count, double perSecond) {
    Arrivals arrivals = new Arrivals(seed);
    double begin = 0;
    while (arrivals.requests.size() < count) {
      begin += arrivals.exponential(MEAN_BURST / perSecond);
      int size = 1 + (int) arrivals.exponential(MEAN_BURST - 0.5);
      for (int i = 0; i < size && arrivals.requests.size() < count; i++) {
        arrivals.single(begin + BURST_SECONDS * arrivals.random.nextDouble());
      }
    }
    return List.copyOf(arrivals.requests);
  }

  private void single(double seconds) {
    int id = requests.size();
    int caller = random.nextInt(CALLERS);
    double mean =
        LEAST_CALLER_MEAN
            * StrictMath.pow(MOST_CALLER_MEAN / LEAST_CALLER_MEAN, caller / (CALLERS - 1.0));
    Prompt prompt =
        new Prompt(List.of(new Segment(id, tokens(MEAN_PROMPT_TOKENS, 0.9, LONGEST_PROMPT))));
    requests.add(
        new Request(
            id,
            Request.NONE,
            nanos(seconds),
            "caller-" + caller,
            prompt,
            tokens(mean, 0.5, LONGEST_ANSWER)));
  }

  /**
   * Conversations of six turns with one of eight assistants, whose instructions, 2,000 to 4,000
   * tokens, begin all prompts. Every turn repeats what was said before. A caller reads and thinks
   * for twenty seconds, on average, before the next question.
   */
  public static List<Request> chats(long seed, int conversations, double conversationsPerSecond) {
    Arrivals arrivals = new Arrivals(seed);
    double seconds = 0;
    for (int i = 0; i < conversations; i++) {
      seconds += arrivals.exponential(1 / conversationsPerSecond);
      arrivals.conversation(CONVERSATIONS + i, seconds);
    }
    return List.copyOf(arrivals.requests);
  }

  private void conversation(long name, double seconds) {
    int assistant = random.nextInt(ASSISTANTS);
    Segment instructions = new Segment(assistant, 2_000 + 2_000 * assistant / (ASSISTANTS - 1));
    int said = 0;
    for (int turn = 0; turn < TURNS; turn++) {
      said += tokens(MEAN_QUESTION_TOKENS, 0.7, LONGEST_PROMPT);
      int answer = tokens(MEAN_CHAT_ANSWER_TOKENS, 0.6, LONGEST_ANSWER);
      int id = requests.size();
      requests.add(
          new Request(
              id,
              turn == 0 ? Request.NONE : id - 1,
              nanos(turn == 0 ? seconds : exponential(MEAN_THINKING_SECONDS)),
              "caller-" + assistant,
              new Prompt(List.of(instructions, new Segment(name, said))),
              answer));
      said += answer;
    }
  }

  private double exponential(double mean) {
    return -mean * StrictMath.log(1 - random.nextDouble());
  }

  private int tokens(double mean, double sigma, int most) {
    double drawn = mean * StrictMath.exp(sigma * random.nextGaussian() - sigma * sigma / 2);
    return Math.clamp(Math.round(drawn), 1, most);
  }

  private static long nanos(double seconds) {
    return Math.round(seconds * 1e9);
  }
}
