package dev.cloister.coordinator.api.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.fleet.Replica.Ready.Use;
import dev.cloister.coordinator.inference.Generation;
import dev.cloister.coordinator.inference.InvalidGenerationException;
import dev.cloister.coordinator.inference.Sampling;
import dev.cloister.coordinator.inference.prompt.AnswerFormat;
import dev.cloister.coordinator.inference.prompt.ChatMessage;
import dev.cloister.coordinator.inference.prompt.ChatMessage.Role;
import dev.cloister.coordinator.inference.prompt.Prompt;
import dev.cloister.coordinator.inference.prompt.Tool;
import dev.cloister.coordinator.inference.prompt.ToolCall;
import dev.cloister.coordinator.inference.prompt.ToolChoice;
import dev.cloister.proto.agent.v1.ModelStatus;
import dev.cloister.proto.inference.v1.ChatPrompt;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.Finished;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.LogitBias;
import dev.cloister.proto.inference.v1.ReasoningDelta;
import dev.cloister.proto.inference.v1.Started;
import dev.cloister.proto.inference.v1.TextDelta;
import dev.cloister.proto.inference.v1.TokenLogprob;
import dev.cloister.proto.inference.v1.TokenProbability;
import dev.cloister.proto.inference.v1.ToolCallDelta;
import dev.cloister.proto.inference.v1.Usage;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What crosses the wire comes back as it was. */
class WireTest {
  private static final Tool TOOL = new Tool("f", "{\"type\": \"function\"}");
  private static final Sampling SAMPLING =
      new Sampling(
          OptionalDouble.of(0.5),
          OptionalDouble.of(0.25),
          OptionalInt.of(3),
          OptionalDouble.of(0.125),
          OptionalDouble.of(0.75),
          OptionalLong.of(Long.MAX_VALUE),
          OptionalDouble.of(-2),
          OptionalDouble.of(2),
          OptionalDouble.of(1.5),
          OptionalInt.of(0),
          Map.of(0, -100f, Integer.MAX_VALUE, 100f));

  @ParameterizedTest
  @ValueSource(ints = {-1, Generation.MAX_TOKENS + 1, Integer.MAX_VALUE})
  void aLimitOfTokensThatIsNoneIsRefused(int limit) {
    assertThatThrownBy(
            () ->
                WireGeneration.fromWire(
                    dev.cloister.proto.inference.v1.Generation.newBuilder()
                        .setText("once")
                        .setMaxTokens(limit)
                        .build()))
        .isInstanceOf(InvalidGenerationException.class)
        .hasMessage("max_tokens is " + limit + " (expected: 0 to 16777216)");
  }

  @Test
  void aChatWithEverythingInItComesBackAsItWas() {
    List<ChatMessage> messages =
        List.of(
            new ChatMessage(Role.SYSTEM, "be kind"),
            new ChatMessage(Role.USER, "rain?"),
            new ChatMessage(
                Role.ASSISTANT, "", List.of(new ToolCall("c", "f", "{}")), "", "", "hm"),
            new ChatMessage(Role.TOOL, "no", List.of(), "c", "f", ""));
    for (ToolChoice choice :
        List.of(
            new ToolChoice.Auto(),
            new ToolChoice.None(),
            new ToolChoice.Required(),
            new ToolChoice.Named("f"))) {
      assertComesBack(
          new Generation(
              new Prompt.Chat(messages, List.of(TOOL), choice),
              SAMPLING,
              9,
              List.of("stop"),
              new AnswerFormat.Text(),
              OptionalInt.of(0)));
    }
  }

  @Test
  void everyFormatComesBackAsItWas() {
    for (AnswerFormat format :
        List.of(
            new AnswerFormat.Text(),
            new AnswerFormat.JsonObject(),
            new AnswerFormat.JsonSchema("{\"b\": 1, \"a\": 2}"),
            new AnswerFormat.Grammar("root ::= x"))) {
      assertComesBack(
          new Generation(
              new Prompt.Text("once"),
              Sampling.DEFAULT,
              0,
              List.of(),
              format,
              OptionalInt.empty()));
    }
  }

  @Test
  void everyEventComesBackAsItWas() {
    TokenProbability half =
        TokenProbability.newBuilder()
            .setId(3)
            .setText(ByteString.copyFrom(new byte[] {(byte) 0xe2}))
            .setLogprob(-1)
            .build();
    for (GenerationEvent event :
        List.of(
            GenerationEvent.newBuilder()
                .setStarted(
                    Started.newBuilder()
                        .setPromptTokens(9)
                        .setCachedPromptTokens(4)
                        .setNode("desk"))
                .build(),
            GenerationEvent.newBuilder()
                .setText(
                    TextDelta.newBuilder()
                        .setText("a")
                        .addLogprobs(TokenLogprob.newBuilder().setToken(half).addTop(half)))
                .build(),
            GenerationEvent.newBuilder()
                .setReasoning(ReasoningDelta.newBuilder().setText("hm"))
                .build(),
            GenerationEvent.newBuilder()
                .setToolCall(
                    ToolCallDelta.newBuilder()
                        .setIndex(1)
                        .setId("c")
                        .setName("f")
                        .setArguments("{"))
                .build(),
            GenerationEvent.newBuilder()
                .setFailed(Failure.newBuilder().setCode(Failure.Code.CODE_INTERNAL).setMessage("m"))
                .build(),
            GenerationEvent.newBuilder()
                .setFailed(
                    Failure.newBuilder()
                        .setCode(Failure.Code.CODE_INVALID_REQUEST)
                        .setMessage("m")
                        .setParameter("tools"))
                .build())) {
      assertComesBack(event);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Finished.Reason.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"REASON_UNSPECIFIED", "UNRECOGNIZED"})
  void everyReasonComesBackAsItWas(Finished.Reason reason) {
    assertComesBack(
        GenerationEvent.newBuilder()
            .setFinished(
                Finished.newBuilder()
                    .setReason(reason)
                    .setUsage(
                        Usage.newBuilder()
                            .setPromptTokens(9)
                            .setCachedPromptTokens(4)
                            .setCompletionTokens(2)))
            .build());
  }

  @Test
  void anEventOfANewerVersionIsNone() {
    assertThat(WireEvents.fromWire(GenerationEvent.getDefaultInstance(), "desk")).isEmpty();
  }

  @Test
  void whatAGrpcClientGetsWrongIsNamed() {
    var text = dev.cloister.proto.inference.v1.Generation.newBuilder().setText("once");
    assertRefused("top_logprobs", text.clone().setTopLogprobs(21));
    assertRefused("top_logprobs", text.clone().setTopLogprobs(-1));
    assertRefused("max_tokens", text.clone().setMaxTokens(-1));
    assertRefused("grammar", text.clone().setGrammar(" "));
    var biased = text.clone();
    biased.getSamplingBuilder().addLogitBias(LogitBias.newBuilder().setToken(-1).setBias(1));
    assertRefused("logit_bias", biased);
    ChatPrompt.Builder chat = ChatPrompt.newBuilder();
    chat.addMessagesBuilder()
        .setRole(dev.cloister.proto.inference.v1.ChatMessage.Role.ROLE_USER)
        .setContent("hi");
    assertRefused("tool_choice", text.clone().setChat(withChoice(chat, 2)));
    assertRefused("tool_choice", text.clone().setChat(withChoice(chat, 3)));
    assertRefused("tool_choice", text.clone().setChat(withChoice(chat, 99)));
    ChatPrompt.Builder twice = chat.clone();
    twice.addToolsBuilder().setName("f");
    twice.addToolsBuilder().setName("f");
    assertRefused("tools", text.clone().setChat(twice));
    ChatPrompt.Builder nameless = chat.clone();
    nameless.addToolsBuilder();
    assertRefused("tools", text.clone().setChat(nameless));
    assertRefused("resume", text.clone().addResume(1));
    assertRefused("resume", text.clone().setResumeEvents(1));
  }

  @Test
  void whatAModelOffersOnANodeIsTaken() {
    assertThat(
            WireFleet.fromWire(
                ModelStatus.newBuilder()
                    .setModel("m")
                    .setState(ModelStatus.State.STATE_READY)
                    .setContextTokens(64)
                    .setSlots(2)
                    .setEngine("e")
                    .setFull(true)
                    .setEmbeds(true)
                    .setReranks(true)
                    .build()))
        .hasValue(new Replica.Ready("m", 64, 2, "e", true, Set.of(Use.EMBED, Use.RERANK)));
  }

  private static ChatPrompt.Builder withChoice(ChatPrompt.Builder chat, int mode) {
    ChatPrompt.Builder changed = chat.clone();
    changed.getToolChoiceBuilder().setModeValue(mode);
    return changed;
  }

  private static void assertComesBack(Generation generation) {
    assertThat(WireGeneration.fromWire(WireGeneration.toWire(generation))).isEqualTo(generation);
  }

  private static void assertComesBack(GenerationEvent event) {
    assertThat(WireEvents.toWire(WireEvents.fromWire(event, "desk").orElseThrow()))
        .isEqualTo(event);
  }

  private static void assertRefused(
      String parameter, dev.cloister.proto.inference.v1.Generation.Builder wire) {
    assertThatThrownBy(() -> WireGeneration.fromWire(wire.build()))
        .isInstanceOfSatisfying(
            InvalidGenerationException.class, e -> assertThat(e.parameter()).isEqualTo(parameter));
  }
}
