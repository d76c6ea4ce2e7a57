package dev.cloister.engine.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.LogFormat;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.Model;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The C API says what java-llama.cpp's own Java API says, on the same library. */
class JavaApiEqualityTest {

  private static final int MOST = 100;

  @Test
  void greedyAnswersAreEqualTokenForToken() throws Exception {
    List<String> prompts = prompts();
    assertThat(prompts).hasSize(50);
    List<List<Integer>> ours = new ArrayList<>();
    LlamaCpp library = LlamaCpp.b4916(Libraries.CACHE).orElseThrow();
    NativeLibrary.load(Libraries.CACHE);
    LlamaModel.setLogger(LogFormat.TEXT, (level, line) -> {});
    LlamaModel reference =
        new LlamaModel(
            new ModelParameters()
                .setModel(Libraries.DEMO_MODEL.toString())
                .setCtxSize(1024)
                .setThreads(1)
                .disableContextShift()
                .disableLog());
    try (Model model = Libraries.demo(library);
        DecodeContext context = Libraries.open(model)) {
      for (String prompt : prompts) {
        List<Integer> tokens =
            Libraries.say(model, context, prompt, Sampling.GREEDY, Optional.empty(), MOST);
        List<String> pieces = pieces(reference, prompt);
        assertThat(Libraries.text(model, tokens)).isEqualTo(String.join("", pieces));
        assertThat(wholePieces(model, tokens)).isEqualTo(pieces);
        ours.add(tokens);
      }
    }
    assertThat(ours.stream().mapToInt(List::size).sum()).isGreaterThan(500);
  }

  private static List<String> pieces(LlamaModel reference, String prompt) {
    List<String> pieces = new ArrayList<>();
    reference
        .generate(new InferenceParameters(prompt).setTemperature(0).setNPredict(MOST))
        .forEach(output -> pieces.add(output.text));
    pieces.removeIf(String::isEmpty);
    return pieces;
  }

  /** As llama.cpp's server does it: bytes wait until their character is whole. */
  private static List<String> wholePieces(Model model, List<Integer> tokens) {
    List<String> pieces = new ArrayList<>();
    List<Integer> waiting = new ArrayList<>();
    for (int token : tokens) {
      waiting.add(token);
      String text = Libraries.text(model, waiting);
      if (!text.endsWith("\uFFFD")) {
        pieces.add(text);
        waiting.clear();
      }
    }
    return pieces;
  }

  private static List<String> prompts() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(JavaApiEqualityTest.class.getResourceAsStream("prompts.txt"))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .map(String::translateEscapes)
          .toList();
    }
  }
}
