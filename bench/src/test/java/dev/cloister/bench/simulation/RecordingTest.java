package dev.cloister.bench.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

final class RecordingTest {
  private static final String HEADER = "seconds,caller,prompt_tokens,prefix,answer_tokens";

  @Test
  void a_line_is_a_request_and_prefixes_of_one_name_are_shared() throws IOException {
    List<Request> requests =
        Recording.parse(
            List.of(
                HEADER,
                "0.00,alice,2100,handbook:2000,150",
                "3.25,bob,2400,handbook:2000/chat-7:250,80",
                "3.5,bob,10,,1"),
            "day.csv");

    assertThat(requests)
        .extracting(Request::nanos)
        .containsExactly(0L, 3_250_000_000L, 3_500_000_000L);
    assertThat(requests).extracting(Request::caller).containsExactly("alice", "bob", "bob");
    assertThat(requests).extracting(Request::answerTokens).containsExactly(150, 80, 1);
    assertThat(requests)
        .extracting(request -> request.prompt().tokens())
        .containsExactly(2_100, 2_400, 10);
    assertThat(requests.get(0).prompt().common(requests.get(1).prompt())).isEqualTo(2_000);
    assertThat(requests.get(0).prompt().common(requests.get(2).prompt())).isZero();
  }

  @Test
  void what_is_wrong_is_told_with_its_line() {
    refuses("1,alice,10,,5,6", "day.csv, line 2: 6 fields");
    refuses("1,alice,10,handbook,5", "line 2: the prefix 'handbook' is not NAME:TOKENS");
    refuses("1,alice,10,handbook:20,5", "line 2: a prompt of 10 tokens with 20 in its prefix");
    refuses("-1,alice,10,,5", "line 2: '-1' seconds (expected: 0 to 1000000000)");
    refuses("NaN,alice,10,,5", "line 2: 'NaN' seconds");
    refuses("now,alice,10,,5", "line 2: 'now' is not seconds");
    refuses("1,alice,ten,,5", "line 2: 'ten' is not a whole number");
    refuses("1,alice,10,,0", "line 2: request 0 after -1, at 1000000000 ns, answer of 0 tokens");
    assertThatIOException()
        .isThrownBy(() -> Recording.parse(List.of(), "day.csv"))
        .withMessageContaining(HEADER);
    assertThatIOException()
        .isThrownBy(() -> Recording.parse(List.of(HEADER), "day.csv"))
        .withMessageContaining("no requests");
  }

  private static void refuses(String line, String message) {
    assertThatIOException()
        .isThrownBy(() -> Recording.parse(List.of(HEADER, line), "day.csv"))
        .withMessageContaining(message);
  }
}
