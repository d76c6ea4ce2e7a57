package dev.cloister.engine.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.LogFormat;
import dev.cloister.engine.chat.parsing.ToolCallSyntax;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** llama.cpp b4916 takes the grammars made here, and understands them as {@link Grammar} does. */
class NativeGrammarTest {

  private static final Path DEMO_MODEL =
      Path.of("..", "models", "demo", "cloister-tiny-q8_0.gguf").toAbsolutePath().normalize();

  private static LlamaModel model;

  @BeforeAll
  static void load() throws Exception {
    if (System.getProperty("de.kherud.llama.lib.path") == null) {
      Path folder = Files.createDirectories(Path.of("target", "grammar-library").toAbsolutePath());
      System.setProperty("de.kherud.llama.tmpdir", folder.toString());
    }
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

  @AfterAll
  static void close() {
    model.close();
  }

  static List<String> schemas() {
    String wide =
        IntStream.range(0, 300)
            .mapToObj("\"p%d\": {\"type\": \"string\", \"maxLength\": 9}"::formatted)
            .collect(Collectors.joining(",", "{\"properties\": {", "}}"));
    return List.of(
        "{}",
        "{\"type\": \"object\"}",
        "{\"type\": \"object\", \"properties\": {\"name\": {\"type\": \"string\"}, \"age\":"
            + " {\"type\": \"integer\", \"minimum\": 18, \"maximum\": 120}, \"city\": {\"type\":"
            + " \"string\"}}, \"required\": [\"name\", \"age\", \"city\"]}",
        "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"number\"}},"
            + " \"additionalProperties\": {\"enum\": [\"x\", 2, null]}}",
        "{\"type\": \"array\", \"items\": {\"type\": [\"boolean\", \"null\"]}, \"minItems\": 2,"
            + " \"maxItems\": 5}",
        "{\"type\": \"string\", \"pattern\": \"^[A-Z]{2}-\\\\d{3}( [^a]+)?$\"}",
        "{\"type\": \"string\", \"format\": \"date-time\"}",
        "{\"type\": \"string\", \"minLength\": 3, \"maxLength\": 10000}",
        "{\"$ref\": \"#/$defs/n\", \"$defs\": {\"n\": {\"type\": \"object\", \"properties\":"
            + " {\"name\": {\"type\": \"string\"}, \"next\": {\"$ref\": \"#/$defs/n\"}},"
            + " \"required\": [\"name\"]}}}",
        "{\"anyOf\": [{\"const\": {\"a\": [1, \"é水\"]}}, {\"type\": \"integer\"}]}",
        wide);
  }

  @ParameterizedTest
  @MethodSource("schemas")
  void whatIsGeneratedFits(String schema) throws Exception {
    Grammar grammar = JsonSchemaGrammar.of(schema);
    String answer = generate(grammar, "JSON please: Ana is 31 and lives in Sofia.", "");
    GrammarMatcher matcher = new GrammarMatcher(grammar);
    assertThat(matcher.longestStart(answer)).isEqualTo(answer.codePointCount(0, answer.length()));
    if (matcher.matches(answer)) {
      assertThat(JsonMapper.builder().build().readTree(answer)).isNotNull();
    }
  }

  /**
   * All but two, whose upstream grammars newer versions refuse as well: one has a pattern's escape
   * for a digit, the other 10,000 repetitions.
   */
  static List<String> schemasUpstreamConverts() {
    return schemas().stream()
        .filter(schema -> !schema.contains("pattern") && !schema.contains("10000"))
        .toList();
  }

  /** A grammar that llama.cpp itself makes of a schema is not refused. */
  @ParameterizedTest
  @MethodSource("schemasUpstreamConverts")
  void upstreamsOwnGrammarsAreTaken(String schema) {
    String upstream = LlamaModel.jsonSchemaToGrammar(schema);
    assertThat(Grammar.parse(upstream).text()).isEqualTo(upstream);
  }

  @ParameterizedTest
  @EnumSource
  void aToolIsCalled(ToolCallSyntax syntax) {
    Grammar grammar =
        ToolCallGrammar.of(
            List.of(
                new ToolCallGrammar.Tool(
                    "get_weather",
                    "{\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\","
                        + " \"maxLength\": 12}}, \"required\": [\"city\"]}")),
            syntax,
            false);
    String tools =
        "\n\n"
            + "# Tools\n"
            + "{\"name\": \"get_weather\", \"description\": \"Current weather in a city\","
            + " \"parameters\": {\"type\": \"object\", \"properties\": {\"city\": {\"type\":"
            + " \"string\"}}, \"required\": [\"city\"]}}";
    String answer = generate(grammar, "What is the weather in Sofia?", tools);
    assertThat(new GrammarMatcher(grammar).matches(answer)).as(answer).isTrue();
    if (syntax == ToolCallSyntax.HERMES) {
      assertThat(answer)
          .isEqualTo(
              "<tool_call>{\"name\": \"get_weather\", \"arguments\": {\"city\":"
                  + " \"Sofia\"}}</tool_call>");
    }
  }

  @Test
  void deepChainsWithinTheLimitDoNotOverflowTheStack() {
    StringBuilder chain = new StringBuilder("root ::= r0\n");
    for (int i = 0; i < 1_900; i++) {
      chain.append("r%d ::= r%d\n".formatted(i, i + 1));
    }
    chain.append("r1900 ::= \"a\"\n");
    assertThat(generate(Grammar.parse(chain.toString()), "Say a.", "")).isEqualTo("a");
  }

  private static String generate(Grammar grammar, String question, String system) {
    String prompt =
        (system.isEmpty()
                ? ""
                : "<|im_start|>system\nYou are a helpful assistant." + system + "<|im_end|>\n")
            + "<|im_start|>user\n"
            + question
            + "<|im_end|>\n<|im_start|>assistant\n";
    StringBuilder answer = new StringBuilder();
    model
        .generate(
            new InferenceParameters(prompt)
                .setTemperature(0)
                .setNPredict(120)
                .setGrammar(grammar.text()))
        .forEach(output -> answer.append(output.text));
    return answer.toString();
  }
}
