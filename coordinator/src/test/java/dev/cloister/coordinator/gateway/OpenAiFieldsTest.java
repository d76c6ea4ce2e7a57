package dev.cloister.coordinator.gateway;

import static dev.cloister.coordinator.gateway.TestGateway.CHAT;
import static dev.cloister.coordinator.gateway.TestGateway.COMPLETIONS;
import static dev.cloister.coordinator.gateway.TestGateway.HELLO;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Fields that are wrong, and fields that ask for nothing. */
@TestInstance(Lifecycle.PER_CLASS)
class OpenAiFieldsTest {
  @AutoClose private final TestGateway gateway;

  OpenAiFieldsTest(@TempDir Path directory) throws Exception {
    gateway = new TestGateway(directory);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          model | 1
          model | null
          model | ["tiny"]
          messages | null
          messages | "hi"
          messages | []
          messages | {}
          messages[0] | ["hi"]
          messages[0].role | [{"content":"hi"}]
          messages[0].role | [{"role":"wizard","content":"hi"}]
          messages[0].role | [{"role":5,"content":"hi"}]
          messages[0].content | [{"role":"user"}]
          messages[0].content | [{"role":"user","content":5}]
          messages[0].content | [{"role":"user","content":[5]}]
          messages[0].content | [{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://x/"}}]}]
          messages[0].content | [{"role":"user","content":[{"type":"text","text":5}]}]
          messages[1].role | [{"role":"user","content":"a"},{"role":"x","content":"b"}]
          stream | "yes"
          stream | 1
          stream_options | {"include_usage":true}
          max_tokens | 0
          max_tokens | -1
          max_tokens | 1.5
          max_tokens | "many"
          max_tokens | 1e3
          max_tokens | 2147483648
          max_tokens | 99999999999999999999999999
          max_tokens | 16777217
          max_completion_tokens | 0
          max_completion_tokens | 2147483647
          temperature | -0.1
          temperature | 2.1
          temperature | 1e400
          temperature | "NaN"
          temperature | "0.5"
          temperature | [0.5]
          top_p | 0
          top_p | 1.5
          top_k | -1
          top_k | 1.5
          min_p | 2
          seed | -1
          seed | 1.5
          frequency_penalty | 3
          presence_penalty | -3
          stop | 5
          stop | [5]
          stop | ""
          stop | ["a","b","c","d","e","f","g","h","i","j","k","l","m","n","o","p","q"]
          n | 0
          n | 9
          n | 100
          n | -1
          n | "1"
          max_tokens | -1
          max_completion_tokens | -1
          top_k | -1
          seed | -1
          repeat_last_n | -1
          repeat_penalty | 0
          typical_p | 1.5
          functions | [{"name":"f"}]
          tools | "f"
          tools[0] | ["f"]
          tools[0].type | [{"function":{"name":"f"}}]
          tools[0].type | [{"type":"retrieval"}]
          tools[0].function | [{"type":"function"}]
          tools[0].function | [{"type":"function","function":"f"}]
          tools[0].function.name | [{"type":"function","function":{}}]
          tools[0].function.name | [{"type":"function","function":{"name":5}}]
          tools[0].function.parameters | [{"type":"function","function":{"name":"f","parameters":"{}"}}]
          tools[0].function.description | [{"type":"function","function":{"name":"f","description":5}}]
          tools | [{"type":"function","function":{"name":""}}]
          tools | [{"type":"function","function":{"name":"a b"}}]
          tools | [{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"f"}}]
          tool_choice | "any"
          tool_choice | 5
          tool_choice | "required"
          tool_choice | {"type":"function","function":{"name":"f"}}
          tool_choice.type | {"type":"allowed_tools"}
          tool_choice.function | {"type":"function"}
          parallel_tool_calls | 1
          messages[0].tool_calls[0] | [{"role":"assistant","tool_calls":["f"]}]
          messages[0].tool_calls[0].id | [{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"f","arguments":"{}"}}]}]
          messages[0].tool_calls[0].function.arguments | [{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":{}}}]}]
          messages[0].tool_calls[0].function.arguments | [{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{"}}]}]
          messages[0].tool_calls[0].function.arguments | [{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"[1]"}}]}]
          messages | [{"role":"user","content":"a","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}]
          messages[0].content | [{"role":"assistant","content":null}]
          messages[0].tool_call_id | [{"role":"tool","content":"a","tool_call_id":5}]
          logprobs | 1
          top_logprobs | 5
          top_logprobs | 21
          top_logprobs | -1
          logit_bias | [1]
          logit_bias | {"a":1}
          logit_bias | {"-1":1}
          logit_bias | {"99999999999":1}
          logit_bias | {"1":"x"}
          logit_bias | {"1":101}
          grammar | 5
          response_format | "json"
          response_format.type | {"type":"yaml"}
          response_format.type | {}
          response_format.json_schema | {"type":"json_schema"}
          response_format.json_schema.schema | {"type":"json_schema","json_schema":{"name":"a"}}
          response_format.json_schema.schema | {"type":"json_schema","json_schema":{"name":"a","schema":"{}"}}
          response_format.json_schema.strict | {"type":"json_schema","json_schema":{"strict":"yes","schema":{}}}
          """)
  void aWrongFieldOfAChatIsRefusedWithItsName(String param, String value) throws Exception {
    String field = param.split("[\\[.]", 2)[0];
    String good =
        switch (field) {
          case "model" -> "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
          case "messages" -> "\"model\":\"tiny\"";
          default -> "\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
        };
    gateway.assertRefused(CHAT, "{" + good + ",\"" + field + "\":" + value + "}", param);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          prompt | null
          prompt | 5
          prompt | ""
          prompt | []
          prompt | ["a","b"]
          prompt | [1,2,3]
          suffix | "end"
          echo | true
          best_of | 2
          n | 0
          n | 9
          max_tokens | 0
          logprobs | true
          logprobs | 21
          logprobs | -1
          grammar | {}
          """)
  void aWrongFieldOfACompletionIsRefusedWithItsName(String param, String value) throws Exception {
    String good = param.equals("prompt") ? "" : ",\"prompt\":\"once\"";
    gateway.assertRefused(
        COMPLETIONS, "{\"model\":\"tiny\"" + good + ",\"" + param + "\":" + value + "}", param);
  }

  @Test
  void aGrammarBesideAnotherFormatIsRefused() throws Exception {
    gateway.assertRefused(
        CHAT,
        HELLO.replace(
            "{\"model\"",
            "{\"grammar\":\"root ::= x\",\"response_format\":{\"type\":\"json_object\"},"
                + "\"model\""),
        "grammar");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"all\"", "{\"include_usage\":\"yes\"}", "[]"})
  void wrongStreamOptionsAreRefused(String options) throws Exception {
    HttpResponse<String> response =
        gateway.post(
            CHAT,
            HELLO.replace(
                "{\"model\"", "{\"stream\":true,\"stream_options\":" + options + ",\"model\""));
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(TestGateway.error(response).path("param").asText()).startsWith("stream_options");
  }

  @Test
  void fieldsThatAskForNothingAreTaken() throws Exception {
    assertThat(
            gateway
                .post(
                    COMPLETIONS,
                    "{\"model\":\"tiny\",\"prompt\":\"a\",\"suffix\":\"\",\"echo\":false,"
                        + "\"logprobs\":null,\"logit_bias\":{},\"stop\":null,\"unknown\":[1]}")
                .statusCode())
        .isEqualTo(200);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          max_tokens | 0 | 1 to 16777216
          max_tokens | 16777217 | 1 to 16777216
          max_tokens | 2147483648 | 1 to 16777216
          max_completion_tokens | 2147483648 | 1 to 16777216
          max_completion_tokens | -2147483649 | 1 to 16777216
          n | 2147483648 | 1 to 8
          top_logprobs | 2147483648 | 0 to 20
          top_k | -1 | 0 to 2147483647
          top_k | 2147483648 | 0 to 2147483647
          repeat_last_n | 2147483648 | 0 to 2147483647
          seed | -1 | 0 to 9223372036854775807
          """)
  void howeverFarANumberIsOffTheSameBoundsAreSaid(String param, String number, String bounds)
      throws Exception {
    assertNumberRefused(param, number, param + " is " + number + " (expected: " + bounds + ")");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          seed | 9223372036854775808 | large | 0 to 9223372036854775807
          seed | -99999999999999999999 | small | 0 to 9223372036854775807
          max_tokens | 9223372036854775808 | large | 1 to 16777216
          """)
  void aNumberBeyond64BitsIsSaidToBe(String param, String number, String what, String bounds)
      throws Exception {
    assertNumberRefused(
        param, number, "%s is too %s a number (expected: %s)".formatted(param, what, bounds));
  }

  private void assertNumberRefused(String param, String number, String message) throws Exception {
    HttpResponse<String> response =
        gateway.post(
            CHAT, HELLO.replace("{\"model\"", "{\"%s\":%s,\"model\"".formatted(param, number)));
    TestGateway.assertRefused(response, param);
    assertThat(TestGateway.error(response).path("message").asText()).isEqualTo(message);
  }
}
