package dev.cloister.engine.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.data.Offset.offset;
import static org.awaitility.Awaitility.await;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.model.ContextOptions.FlashAttention;
import dev.cloister.engine.model.ContextOptions.KvType;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.DecodeContext.DecodeOutcome;
import dev.cloister.engine.model.Model;
import dev.cloister.engine.model.Pooling;
import dev.cloister.engine.model.TokenSampler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Loading, tokens and the life of a context, on each native library. */
class LlamaCppTest {

  private static List<LlamaCpp> libraries = List.of();

  @TempDir private Path folder;

  @BeforeAll
  static void start() throws ModelLoadException {
    libraries = Libraries.start();
  }

  static List<LlamaCpp> libraries() {
    return libraries;
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void loadsTheDemoModel(LlamaCpp library) throws Exception {
    List<Double> progress = new ArrayList<>();
    try (Model model = library.load(Libraries.DEMO_MODEL, LoadOptions.CPU, progress::add)) {
      assertThat(model.properties().architecture()).isEqualTo("llama");
      assertThat(model.properties().parameters()).isEqualTo(6_033_664);
      assertThat(model.properties().trainedContextTokens()).isEqualTo(512);
      assertThat(model.properties().layers()).isEqualTo(8);
      assertThat(model.properties().embeddingLength()).isEqualTo(256);
      assertThat(model.properties().recurrent()).isFalse();
      assertThat(model.properties().library()).isEqualTo(library.version());
      assertThat(model.vocabulary().size()).isEqualTo(2048);
      assertThat(model.vocabulary().endText()).isEqualTo("<|im_end|>");
    }
    assertThat(progress).isNotEmpty().isSorted().allMatch(part -> part >= 0 && part <= 1);
    assertThat(library.devices()).isNotEmpty();
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void closingWaitsForATextThatIsBecomingTokens(LlamaCpp library) throws Exception {
    String text = "The printer is in room 27. ".repeat(40_000);
    Model model = Libraries.demo(library);
    int expected = model.vocabulary().tokenize(text, false, false).length;
    AtomicBoolean begun = new AtomicBoolean();
    CompletableFuture<Integer> tokens =
        CompletableFuture.supplyAsync(
            () -> {
              begun.set(true);
              return model.vocabulary().tokenize(text, false, false).length;
            });
    await().untilTrue(begun);
    model.close();
    assertThat(tokens.handle((count, e) -> e == null ? count : String.valueOf(e.getCause())))
        .succeedsWithin(Duration.ofSeconds(20))
        .isIn(expected, new IllegalStateException("this model is closed").toString());
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void tokensGiveTheirTextBack(LlamaCpp library) throws Exception {
    try (Model model = Libraries.demo(library)) {
      for (String text : List.of("", "Hello", "😀 水 👩‍👩‍👧 \0 \uFFFF", "a  b\n\tc", "хляб")) {
        List<Integer> tokens = tokens(model, text, true);
        // This vocabulary puts a space before a text.
        assertThat(Libraries.text(model, tokens)).isIn(text, " " + text);
      }
      assertThat(tokens(model, "<|im_end|>", true)).hasSize(1).allMatch(id -> special(model, id));
      assertThat(tokens(model, "<|im_end|>", false)).hasSizeGreaterThan(1);
      int end = tokens(model, "<|im_end|>", true).getFirst();
      assertThat(model.vocabulary().endsGeneration(end)).isTrue();
      assertThat(model.vocabulary().piece(end, false)).isEmpty();
      assertThat(new String(model.vocabulary().piece(end, true), StandardCharsets.UTF_8))
          .isEqualTo("<|im_end|>");
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void aPairIsSeparatedByMarkup(LlamaCpp library) throws Exception {
    try (Model model = Libraries.demo(library)) {
      int[] pair = model.vocabulary().tokenizePair("a", "b");
      int end = tokens(model, "<|im_end|>", true).getFirst();
      assertThat(pair).endsWith(end);
      assertThat(Arrays.stream(pair).filter(token -> token == end).count()).isEqualTo(2);
    }
  }

  private static boolean special(Model model, int token) {
    return model.vocabulary().isControl(token);
  }

  private static List<Integer> tokens(Model model, String text, boolean parseSpecial) {
    return Arrays.stream(model.vocabulary().tokenize(text, true, parseSpecial)).boxed().toList();
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void refusesWhatIsNoModelInOneSentence(LlamaCpp library) throws Exception {
    byte[] whole = Files.readAllBytes(Libraries.DEMO_MODEL);
    Path truncated =
        Files.write(folder.resolve("cut.gguf"), Arrays.copyOf(whole, whole.length / 2));
    Path text = Files.writeString(folder.resolve("text.gguf"), "no model at all");
    String latin = new String(whole, StandardCharsets.ISO_8859_1);
    Path unknown =
        Files.write(
            folder.resolve("unknown.gguf"),
            latin
                .replaceFirst("architecture(.{12})llama", "architecture$1lxama")
                .getBytes(StandardCharsets.ISO_8859_1));
    for (Path file : List.of(truncated, text, unknown, folder.resolve("absent.gguf"))) {
      assertThatExceptionOfType(ModelLoadException.class)
          .isThrownBy(() -> library.load(file, LoadOptions.CPU, progress -> {}).close())
          .withMessageContaining(file.getFileName().toString())
          .withMessageNotContaining("no reason");
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void aFullCacheChangesNothing(LlamaCpp library) throws Exception {
    try (Model model = Libraries.demo(library);
        DecodeContext context =
            model.openContext(
                Libraries.options(256, KvType.F16, FlashAttention.AUTO, Pooling.NONE))) {
      List<Integer> expected = say(model, context, 12);
      int[] prompt = model.vocabulary().tokenize(Libraries.user("Name the planets."), true, true);
      context.remove(0);
      Libraries.prefill(context, 0, 0, prompt);
      int[] filler = new int[context.cells() - prompt.length];
      Arrays.fill(filler, prompt[0]);
      Libraries.prefill(context, 1, 0, filler);
      context.clearBatch();
      context.add(prompt[0], filler.length, 1, true);
      assertThat(context.decode()).isEqualTo(DecodeOutcome.NO_ROOM);
      context.remove(1);
      assertThat(context.truncate(0, prompt.length - 1)).isTrue();
      int place = Libraries.prefill(context, 0, prompt.length - 1, prompt[prompt.length - 1]);
      try (TokenSampler sampler = context.newSampler(Sampling.GREEDY, Optional.empty())) {
        assertThat(Libraries.answer(model, context, sampler, place, prompt.length, 12))
            .isEqualTo(expected);
      }
    }
  }

  private static List<Integer> say(Model model, DecodeContext context, int most) {
    return Libraries.say(
        model,
        context,
        Libraries.user("Name the planets."),
        Sampling.GREEDY,
        Optional.empty(),
        most);
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void aPrefixCanBeCutCopiedSavedAndRestored(LlamaCpp library) throws Exception {
    Path file = folder.resolve("sequence");
    try (Model model = Libraries.demo(library);
        DecodeContext context = Libraries.open(model)) {
      List<Integer> expected = say(model, context, 40);
      assertThat(Libraries.text(model, expected)).startsWith("Mercury, Venus");
      int[] prompt = model.vocabulary().tokenize(Libraries.user("Name the planets."), true, true);
      int prefix = prompt.length - 1;

      assertThat(context.truncate(0, prefix)).isTrue();
      assertThat(context.save(0, Arrays.copyOf(prompt, prefix), file)).isEqualTo(Files.size(file));
      assertThat(continuation(model, context, prompt)).isEqualTo(expected);

      context.copy(0, 1, prefix);
      context.remove(0);
      context.copy(1, 0, prefix);
      context.remove(1);
      assertThat(continuation(model, context, prompt)).isEqualTo(expected);

      context.remove(0);
      assertThat(context.restore(0, file)).isEqualTo(Arrays.copyOf(prompt, prefix));
      assertThat(continuation(model, context, prompt)).isEqualTo(expected);
    }
    try (Model model = Libraries.demo(library);
        DecodeContext context = Libraries.open(model)) {
      int[] prompt = model.vocabulary().tokenize(Libraries.user("Name the planets."), true, true);
      context.restore(0, file);
      context.defragment();
      assertThat(Libraries.text(model, continuation(model, context, prompt)))
          .startsWith("Mercury, Venus");
    }
  }

  private static List<Integer> continuation(Model model, DecodeContext context, int[] prompt) {
    int last = prompt.length - 1;
    int place = Libraries.prefill(context, 0, last, prompt[last]);
    try (TokenSampler sampler = context.newSampler(Sampling.GREEDY, Optional.empty())) {
      List<Integer> answer = Libraries.answer(model, context, sampler, place, prompt.length, 40);
      context.truncate(0, last);
      return answer;
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void aDamagedOrForeignStateIsRefused(LlamaCpp library) throws Exception {
    Path file = folder.resolve("sequence");
    try (Model model = Libraries.demo(library);
        DecodeContext context = Libraries.open(model)) {
      int[] tokens = {5, 6, 7};
      Libraries.prefill(context, 0, 0, tokens);
      context.save(0, tokens, file);
      byte[] whole = Files.readAllBytes(file);
      byte[] flipped = whole.clone();
      flipped[whole.length / 2] ^= 1;
      for (byte[] bytes :
          List.of(new byte[0], Arrays.copyOf(whole, whole.length - 1), flipped, new byte[99])) {
        Path damaged = Files.write(folder.resolve("damaged"), bytes);
        assertThatExceptionOfType(IOException.class)
            .isThrownBy(() -> context.restore(1, damaged))
            .withMessageContaining("damaged");
      }
      try (DecodeContext other =
          model.openContext(
              Libraries.options(256, KvType.Q8_0, FlashAttention.AUTO, Pooling.NONE))) {
        assertThatExceptionOfType(IOException.class)
            .isThrownBy(() -> other.restore(1, file))
            .withMessageContaining("was saved by");
      }
      assertThat(context.restore(1, file)).isEqualTo(tokens);
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void aStateThatFindsNoRoomLeavesTheSequenceEmpty(LlamaCpp library) throws Exception {
    Path file = folder.resolve("sequence");
    try (Model model = Libraries.demo(library);
        DecodeContext context =
            model.openContext(
                Libraries.options(256, KvType.F16, FlashAttention.AUTO, Pooling.NONE))) {
      int[] tokens = new int[context.cells() / 2 + 1];
      Arrays.fill(tokens, 5);
      Libraries.prefill(context, 0, 0, tokens);
      context.save(0, tokens, file);
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(() -> context.restore(1, file))
          .withMessageContaining("no room");
      Libraries.prefill(context, 1, 0, 5, 6, 7);
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void kvCacheInEightBitsAnswersToo(LlamaCpp library) throws Exception {
    try (Model model = Libraries.demo(library);
        DecodeContext context =
            model.openContext(
                Libraries.options(512, KvType.Q8_0, FlashAttention.AUTO, Pooling.NONE))) {
      assertThat(Libraries.text(model, say(model, context, 40))).startsWith("Mercury, Venus");
      assertThatExceptionOfType(ModelLoadException.class)
          .isThrownBy(
              () ->
                  model.openContext(
                      Libraries.options(512, KvType.Q8_0, FlashAttention.OFF, Pooling.NONE)))
          .withMessageContaining("flash attention");
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void aContextTooLargeForTheMachineIsRefused(LlamaCpp library) throws Exception {
    try (Model model = Libraries.demo(library)) {
      assertThatExceptionOfType(ModelLoadException.class)
          .isThrownBy(
              () ->
                  model.openContext(
                      Libraries.options(
                          Integer.MAX_VALUE, KvType.F16, FlashAttention.AUTO, Pooling.NONE)))
          .withMessageMatching(
              "KV cache of 2147483647 tokens needs about 8192.0 GiB, and .* GiB are free; .*");
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void textsHaveEmbeddings(LlamaCpp library) throws Exception {
    try (Model model = Libraries.demo(library);
        DecodeContext context =
            model.openContext(
                Libraries.options(256, KvType.F16, FlashAttention.AUTO, Pooling.MEAN))) {
      int sequence = 0;
      context.clearBatch();
      for (String text : List.of("water", "Count from 3 to 12.", "water")) {
        int position = 0;
        for (int token : model.vocabulary().tokenize(text, true, false)) {
          context.add(token, position++, sequence, false);
        }
        sequence++;
      }
      assertThat(context.decode()).isEqualTo(DecodeOutcome.DONE);
      assertThat(context.embedding(0)).hasSize(256).isNotEqualTo(context.embedding(1));
      for (int i = 0; i < 256; i++) {
        assertThat(context.embedding(0)[i]).isCloseTo(context.embedding(2)[i], offset(1e-3f));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void whatIsClosedRefuses(LlamaCpp library) throws Exception {
    Model model = Libraries.demo(library);
    DecodeContext context = Libraries.open(model);
    assertThatIllegalStateException().isThrownBy(model::close);
    context.close();
    context.close();
    assertThatIllegalStateException().isThrownBy(context::decode);
    assertThatIllegalStateException().isThrownBy(() -> context.add(1, 0, 0, true));
    model.close();
    model.close();
    assertThatIllegalStateException().isThrownBy(() -> Libraries.open(model));
    assertThatIllegalStateException()
        .isThrownBy(() -> model.vocabulary().tokenize("a", true, true));
  }

  @Test
  void aFolderWithoutTheLibraryIsRefused() {
    assertThatExceptionOfType(ModelLoadException.class)
        .isThrownBy(() -> LlamaCpp.v050(List.of(folder)))
        .withMessageContaining("has no library ggml-base");
  }
}
