package dev.cloister.coordinator.routing.prefix;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.coordinator.inference.prompt.ChatMessage;
import dev.cloister.coordinator.inference.prompt.ChatMessage.Role;
import dev.cloister.coordinator.inference.prompt.Prompt;
import dev.cloister.coordinator.inference.prompt.Tool;
import dev.cloister.coordinator.inference.prompt.ToolChoice;
import dev.cloister.coordinator.labels.Labels;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PromptMarksTest {
  private static final Tenant TENANT = Tenant.ofApiKey("k", Labels.NONE);
  private static final ChatMessage SYSTEM = new ChatMessage(Role.SYSTEM, "be brief ".repeat(200));

  @Test
  void eachWholeBlockHasAMark() {
    assertThat(marks("")).isEmpty();
    assertThat(marks("x".repeat(255))).isEmpty();
    assertThat(marks("x".repeat(256))).hasSize(1);
    assertThat(marks("ж".repeat(256))).hasSize(2).doesNotHaveDuplicates();
    assertThat(marks("x".repeat(3 << 20))).hasSize(4_096);
  }

  @Test
  void promptsThatBeginAlikeHaveMarksInCommonUpToThere() {
    for (long seed = 0; seed < 100; seed++) {
      Random random = new Random(seed);
      String one = text(random, 2_000);
      int same = random.nextInt(2_000);
      String other = one.substring(0, same) + "#" + one.substring(Math.min(same + 1, 2_000));
      List<Long> marks = marks(one);
      List<Long> others = marks(other);
      int common = same / 256;
      assertThat(others.subList(0, common)).as("seed %d", seed).isEqualTo(marks.subList(0, common));
      assertThat(others.subList(common, others.size()))
          .as("seed %d", seed)
          .doesNotContainAnyElementsOf(marks);
    }
  }

  @Test
  void aLongerConversationBeginsWithTheMarksOfTheShorterOne() {
    Prompt.Chat first = new Prompt.Chat(List.of(SYSTEM, user("first ".repeat(100))));
    Prompt.Chat second =
        new Prompt.Chat(
            List.of(
                SYSTEM,
                user("first ".repeat(100)),
                new ChatMessage(Role.ASSISTANT, "answer"),
                user("second")));
    List<Long> marks = PromptMarks.of("m", TENANT, first);
    assertThat(marks).hasSizeGreaterThan(5);
    assertThat(PromptMarks.of("m", TENANT, second)).startsWith(marks.toArray(Long[]::new));
  }

  @Test
  void modelTenantToolsAndRolesMakeOtherMarks() {
    Prompt.Chat chat = new Prompt.Chat(List.of(SYSTEM));
    List<Long> marks = PromptMarks.of("m", TENANT, chat);
    Prompt.Chat withTool =
        new Prompt.Chat(
            chat.messages(),
            List.of(new Tool("f", "{\"type\":\"function\"}")),
            new ToolChoice.Auto());
    Prompt.Chat asUser = new Prompt.Chat(List.of(user(SYSTEM.content())));
    assertThat(PromptMarks.of("n", TENANT, chat)).doesNotContainAnyElementsOf(marks);
    assertThat(PromptMarks.of("m", Tenant.ofApiKey("l", Labels.NONE), chat))
        .doesNotContainAnyElementsOf(marks);
    assertThat(PromptMarks.of("m", TENANT, withTool)).doesNotContainAnyElementsOf(marks);
    assertThat(PromptMarks.of("m", TENANT, asUser)).doesNotContainAnyElementsOf(marks);
    assertThat(PromptMarks.of("m", TENANT, new Prompt.Text(SYSTEM.content())))
        .doesNotContainAnyElementsOf(marks);
  }

  private static List<Long> marks(String text) {
    return text.isEmpty()
        ? PromptMarks.of("m", TENANT, new Prompt.Chat(List.of(user(""))))
        : PromptMarks.of("m", TENANT, new Prompt.Text(text));
  }

  private static ChatMessage user(String content) {
    return new ChatMessage(Role.USER, content);
  }

  private static String text(Random random, int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append((char) ('a' + random.nextInt(26)));
    }
    return text.toString();
  }
}
