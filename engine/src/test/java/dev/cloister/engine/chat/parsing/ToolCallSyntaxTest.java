package dev.cloister.engine.chat.parsing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ToolCallSyntaxTest {

  @Test
  void markersInTheTemplateTellTheSyntax() {
    assertThat(ToolCallSyntax.of("return a json object within <tool_call></tool_call> XML tags"))
        .hasValue(ToolCallSyntax.HERMES);
    assertThat(ToolCallSyntax.of("{{- \"<|start_header_id|>ipython<|end_header_id|>\\n\\n\" }}"))
        .hasValue(ToolCallSyntax.LLAMA3);
    assertThat(ToolCallSyntax.of("{{- \"[TOOL_CALLS] [\" }}")).hasValue(ToolCallSyntax.MISTRAL);
    assertThat(ToolCallSyntax.of("{{- '[TOOL_CALLS]' + name + '[ARGS]' + arguments }}"))
        .hasValue(ToolCallSyntax.MISTRAL_NAMED);
    assertThat(ToolCallSyntax.of("<tool_call>\n<function=x>\n<parameter=y>")).isEmpty();
    assertThat(ToolCallSyntax.of("<|im_start|>{{ message.content }}")).isEmpty();
  }

  @Test
  void templateAndPromptTellTheReasoning() {
    String template = "{%- if '</think>' in content %}";
    assertThat(ReasoningSyntax.of("<|im_start|>", "a <think>")).isEqualTo(ReasoningSyntax.NONE);
    assertThat(ReasoningSyntax.of(template, "<|im_start|>assistant\n"))
        .isEqualTo(ReasoningSyntax.TAGGED);
    assertThat(ReasoningSyntax.of(template, "<|im_start|>assistant\n<think>\n"))
        .isEqualTo(ReasoningSyntax.OPENED);
    assertThat(ReasoningSyntax.of(template, "<|im_start|>assistant\n<think>\n\n</think>\n\n"))
        .isEqualTo(ReasoningSyntax.TAGGED);
  }
}
