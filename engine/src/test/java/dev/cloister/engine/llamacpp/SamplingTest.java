package dev.cloister.engine.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.DecodeException;
import dev.cloister.engine.model.Model;
import dev.cloister.engine.model.TokenProbabilities;
import dev.cloister.engine.model.TokenSampler;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How tokens are chosen, on each native library. */
class SamplingTest {

  private static final String PROMPT = Libraries.user("Tell me a joke.");

  private static List<LlamaCpp> libraries = List.of();

  @BeforeAll
  static void start() throws ModelLoadException {
    libraries = Libraries.start();
  }

  static List<LlamaCpp> libraries() {
    return libraries;
  }

  @FunctionalInterface
  private interface Scene {
    void play(Model model, DecodeContext context);
  }

  private static void play(LlamaCpp library, Scene scene) throws ModelLoadException {
    try (Model model = Libraries.demo(library);
        DecodeContext context = Libraries.open(model)) {
      scene.play(model, context);
    }
  }

  private static String say(
      Model model, DecodeContext context, Sampling sampling, Optional<String> grammar) {
    return Libraries.text(model, Libraries.say(model, context, PROMPT, sampling, grammar, 40));
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void equalSeedsGiveEqualAnswers(LlamaCpp library) throws Exception {
    play(
        library,
        (model, context) -> {
          Set<String> answers = new HashSet<>();
          for (long seed = -2; seed < 8; seed++) {
            Sampling sampling = hot().seed(seed).build();
            String answer = say(model, context, sampling, Optional.empty());
            assertThat(say(model, context, sampling, Optional.empty())).isEqualTo(answer);
            answers.add(answer);
          }
          assertThat(answers).hasSizeGreaterThan(5);
          Set<String> random = new HashSet<>();
          for (int i = 0; i < 5; i++) {
            random.add(say(model, context, hot().build(), Optional.empty()));
          }
          assertThat(random).hasSizeGreaterThan(1);
        });
  }

  private static Sampling.Builder hot() {
    return new Sampling.Builder().temperature(2).topK(0).topP(1).minP(0);
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void filtersThatLeaveOneTokenAreGreedy(LlamaCpp library) throws Exception {
    play(
        library,
        (model, context) -> {
          String greedy = say(model, context, Sampling.GREEDY, Optional.empty());
          assertThat(say(model, context, hot().topK(1).build(), Optional.empty()))
              .isEqualTo(greedy);
          assertThat(say(model, context, hot().topP(1e-9).build(), Optional.empty()))
              .isEqualTo(greedy);
          assertThat(say(model, context, hot().minP(1).build(), Optional.empty()))
              .isEqualTo(greedy);
        });
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void answersKeepToTheGrammar(LlamaCpp library) throws Exception {
    Optional<String> letters = Optional.of("root ::= (\"x\" | \"yz\"){3} \" end\"");
    Optional<String> characters = Optional.of("root ::= (\"😀\" | \"水\"){3} \" end\"");
    play(
        library,
        (model, context) -> {
          for (Sampling sampling :
              List.of(Sampling.GREEDY, Sampling.DEFAULTS, hot().seed(3).build())) {
            assertThat(say(model, context, sampling, letters)).matches("(x|yz){3} end");
          }
          assertThat(say(model, context, Sampling.GREEDY, characters)).matches("(😀|水){3} end");
          assertThatIllegalArgumentException()
              .isThrownBy(() -> context.newSampler(Sampling.GREEDY, Optional.of("start ::= \"a\"")))
              .withMessageContaining("grammar");
          assertThatIllegalArgumentException()
              .isThrownBy(() -> context.newSampler(Sampling.GREEDY, Optional.of("root ::= (")))
              .withMessageContaining("grammar");
        });
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void aTokenAgainstTheGrammarIsRefused(LlamaCpp library) throws Exception {
    play(
        library,
        (model, context) -> {
          int[] letters = model.vocabulary().tokenize("b", false, false);
          try (TokenSampler sampler =
              context.newSampler(Sampling.GREEDY, Optional.of("root ::= \"a\""))) {
            assertThatExceptionOfType(DecodeException.class)
                .isThrownBy(() -> sampler.accept(letters[letters.length - 1], true));
          }
        });
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void biasForbidsAndForces(LlamaCpp library) throws Exception {
    play(
        library,
        (model, context) -> {
          List<Integer> plain = tokens(model, context, Sampling.GREEDY);
          int first = plain.getFirst();
          Sampling without = biased(Map.of(first, -100f));
          assertThat(tokens(model, context, without)).isNotEmpty().doesNotContain(first);
          int other = (first + 1) % model.vocabulary().size();
          assertThat(tokens(model, context, biased(Map.of(other, 100f)))).containsOnly(other);
          assertThatIllegalArgumentException()
              .isThrownBy(() -> context.newSampler(biased(Map.of(999_999, 1f)), Optional.empty()))
              .withMessageContaining("token 999999");
        });
  }

  private static Sampling biased(Map<Integer, Float> biases) {
    return new Sampling.Builder().temperature(0).logitBias(biases).build();
  }

  private static List<Integer> tokens(Model model, DecodeContext context, Sampling sampling) {
    return Libraries.say(model, context, PROMPT, sampling, Optional.empty(), 20);
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void penaltiesLookAtThePromptToo(LlamaCpp library) throws Exception {
    play(
        library,
        (model, context) -> {
          String prompt = Libraries.user("Repeat after me: silver tiger Prague");
          assertThat(text(model, context, prompt, Sampling.GREEDY)).contains("silver tiger Prague");
          Sampling penalized =
              new Sampling.Builder()
                  .temperature(0)
                  .presencePenalty(2)
                  .frequencyPenalty(2)
                  .repeatPenalty(2)
                  .penaltyTokens(Integer.MAX_VALUE)
                  .build();
          assertThat(text(model, context, prompt, penalized)).doesNotContain("silver tiger Prague");
          Sampling off =
              new Sampling.Builder().temperature(0).repeatPenalty(2).penaltyTokens(0).build();
          assertThat(text(model, context, prompt, off)).contains("silver tiger Prague");
        });
  }

  private static String text(Model model, DecodeContext context, String prompt, Sampling sampling) {
    return Libraries.text(
        model, Libraries.say(model, context, prompt, sampling, Optional.empty(), 20));
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void probabilitiesAreThoseBeforeSampling(LlamaCpp library) throws Exception {
    play(
        library,
        (model, context) -> {
          int[] prompt = model.vocabulary().tokenize(PROMPT, true, true);
          int place = Libraries.prefill(context, 0, 0, prompt);
          TokenProbabilities all = context.probabilities(place, 7, model.vocabulary().size());
          double sum = 0;
          for (float logprob : all.topLogprobs()) {
            sum += Math.exp(logprob);
          }
          assertThat(sum).isCloseTo(1, offset(1e-4));
          assertThat(all.topLogprobs()[0]).isGreaterThanOrEqualTo(all.topLogprobs()[1]);
          TokenProbabilities few = context.probabilities(place, all.topTokens()[0], 3);
          assertThat(few.topTokens()).hasSize(3).startsWith(all.topTokens()[0]);
          assertThat(few.logprob()).isEqualTo(all.topLogprobs()[0]);
          assertThat(context.probabilities(place, 7, 0).topTokens()).isEmpty();
          assertThat(context.logits(place)).hasSize(2048);
        });
  }
}
