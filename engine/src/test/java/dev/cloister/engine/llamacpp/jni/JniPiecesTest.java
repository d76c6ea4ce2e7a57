package dev.cloister.engine.llamacpp.jni;

import static org.assertj.core.api.Assertions.assertThat;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.LogFormat;
import dev.cloister.engine.llamacpp.NativeLibrary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What java-llama.cpp is relied on for, with a grammar that makes the demonstration model write
 * characters that its vocabulary holds as single bytes only.
 */
class JniPiecesTest {

  private static final Path DEMO_MODEL =
      Path.of("..", "models", "demo", "cloister-tiny-q8_0.gguf").toAbsolutePath().normalize();

  private static LlamaModel model;

  @BeforeAll
  static void load() throws Exception {
    NativeLibrary.load(Path.of("target", "library-cache"));
    LlamaModel.setLogger(LogFormat.TEXT, (level, line) -> {});
    model =
        new LlamaModel(
            new ModelParameters()
                .setModel(DEMO_MODEL.toString())
                .setCtxSize(512)
                .setThreads(1)
                .disableContextShift()
                .disableLog());
  }

  @ParameterizedTest
  @ValueSource(strings = {"😀", "水", "😀水", "a水😀", "👩‍👩‍👧", "Ã©水"})
  void piecesAreWholeCharactersAndTheirTokensAreCounted(String repeated) {
    for (int limit = 40; limit < 52; limit++) {
      TokenCount count = new TokenCount(model);
      List<String> pieces = pieces(repeated, limit);
      pieces.forEach(count::add);
      String text = String.join("", pieces);
      assertThat(text).doesNotContain("\uFFFD").startsWith(repeated);
      assertThat(pieces).allSatisfy(JniPiecesTest::assertWhole);
      // Bytes of a last character that the limit cut off are never handed out.
      assertThat(count.tokens()).isBetween(limit - 3, limit);
      assertThat(count.lastWasEmpty()).isFalse();
    }
  }

  @Test
  void chatTemplateKeepsEveryCharacter() {
    String content = "😀 \0 \uE000 🇧🇬 \"q\" \\ \t <|im_end|> {{ x }} \u2028 \uFFFF 水";
    var message =
        new dev.cloister.engine.generation.prompt.ChatMessage(
            dev.cloister.engine.generation.prompt.ChatMessage.Role.USER, content);
    assertThat(new ChatTemplate(model).render(List.of(message)))
        .isEqualTo("<|im_start|>user\n" + content + "<|im_end|>\n<|im_start|>assistant\n");
  }

  private static List<String> pieces(String repeated, int limit) {
    InferenceParameters parameters =
        new InferenceParameters("Say: ")
            .setTemperature(0)
            .setNPredict(limit)
            .setIgnoreEos(true)
            .setGrammar("root ::= (\"" + repeated + "\")+");
    List<String> pieces = new ArrayList<>();
    model.generate(parameters).forEach(output -> pieces.add(output.text));
    // The last output says only that the answer has ended.
    assertThat(pieces.removeLast()).isEmpty();
    return pieces;
  }

  private static void assertWhole(String piece) {
    assertThat(piece).isNotEmpty();
    assertThat(Character.isLowSurrogate(piece.charAt(0))).isFalse();
    assertThat(Character.isHighSurrogate(piece.charAt(piece.length() - 1))).isFalse();
  }
}
