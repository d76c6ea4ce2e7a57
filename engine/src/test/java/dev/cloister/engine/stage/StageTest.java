package dev.cloister.engine.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.StagePart;
import dev.cloister.engine.stage.StageOperation.CloseSampler;
import dev.cloister.engine.stage.StageOperation.Copy;
import dev.cloister.engine.stage.StageOperation.Forget;
import dev.cloister.engine.stage.StageOperation.Keep;
import dev.cloister.engine.stage.StageOperation.OpenSampler;
import dev.cloister.engine.stage.StageOperation.Remove;
import dev.cloister.engine.stage.StageOperation.Restore;
import dev.cloister.engine.stage.StageOperation.Truncate;
import dev.cloister.engine.stage.Step.Precision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a stage computes, and what it refuses before anything native sees it. */
class StageTest {
  private static final int WIDTH = 3;
  private static final int VOCABULARY = 10;
  private static final long SHELF_BYTES = 2 * RecordingContext.STATE_BYTES;

  private final RecordingContext context = new RecordingContext(4, 8, WIDTH);
  private final Stage last = stage(StagePart.LAST);
  private long number;

  private Stage stage(StagePart part) {
    return stage(part, Precision.F32);
  }

  private Stage stage(StagePart part, Precision precision) {
    DecodeContext decoding = context.context();
    return new Stage(
        decoding, part, WIDTH, VOCABULARY, precision, new StageShelf(decoding, SHELF_BYTES, 6));
  }

  private static OpenSampler sampler(int id, int... prompt) {
    return new OpenSampler(id, Sampling.GREEDY, Optional.empty(), prompt, new int[0]);
  }

  private static Run run(int sequence, int position, int tokens) {
    return new Run(sequence, position, tokens, null);
  }

  private static Run wanted(int sequence, int position, int tokens, int sampler) {
    return new Run(sequence, position, tokens, new Run.Output(sampler, OptionalInt.empty()));
  }

  private static ByteBuffer states(int tokens) {
    ByteBuffer bytes = ByteBuffer.allocate(tokens * WIDTH * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < tokens * WIDTH; i++) {
      bytes.putFloat(i);
    }
    return bytes.flip();
  }

  private static Step step(List<StageOperation> operations, Run... runs) {
    int tokens = Math.clamp(Stream.of(runs).mapToLong(Run::tokens).sum(), 0, 100);
    return new Step(operations, List.of(runs), states(tokens), Precision.F32, "");
  }

  private StageFrame take(Stage stage, StageFrame.Content content) throws StageException {
    return stage.take(new StageFrame(++number, content));
  }

  @Test
  void theLastStageAnswersWithAChoiceForEachOutput() throws Exception {
    assertThat(take(last, step(List.of())).content()).isEqualTo(new StepResult(List.of(), ""));
    StageFrame answer =
        take(
            last,
            step(
                List.of(sampler(7), sampler(8)),
                wanted(0, 0, 2, 7),
                run(1, 0, 3),
                wanted(2, 0, 1, 8)));
    assertThat(answer.number()).isEqualTo(2);
    // The sampler of this context chooses the place.
    assertThat(((StepResult) answer.content()).choices())
        .containsExactly(
            new StepResult.Choice.Token(1, null), new StepResult.Choice.Token(5, null));
  }

  @Test
  void aMiddleStagePassesOperationsOnWithStatesOfItsOwn() throws Exception {
    Stage middle = stage(StagePart.MIDDLE);
    Step given = step(List.of(sampler(7)), run(0, 0, 2), wanted(1, 0, 1, 7));
    Step out = (Step) take(middle, given).content();
    assertThat(out.operations()).isEqualTo(given.operations());
    assertThat(out.runs()).isEqualTo(given.runs());
    // This context's layers add one to each number.
    assertThat(out.hidden().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(4)).isEqualTo(5f);
    assertThat(out.hidden().remaining()).isEqualTo(3 * WIDTH * 4);
  }

  @Test
  void halfThePrecisionIsReadAndWritten() throws Exception {
    Stage middle = stage(StagePart.MIDDLE, Precision.F16);
    ByteBuffer hidden = ByteBuffer.allocate(WIDTH * 2).order(ByteOrder.LITTLE_ENDIAN);
    hidden.putShort(Float.floatToFloat16(1.5f));
    hidden.putShort(Float.floatToFloat16(-2f));
    hidden.putShort(Float.floatToFloat16(65504f)).flip();
    Step out =
        (Step)
            take(middle, new Step(List.of(), List.of(run(0, 0, 1)), hidden, Precision.F16, ""))
                .content();
    ByteBuffer given = out.hidden().order(ByteOrder.LITTLE_ENDIAN);
    assertThat(Float.float16ToFloat(given.getShort(0))).isEqualTo(2.5f);
    assertThat(Float.float16ToFloat(given.getShort(2))).isEqualTo(-1f);
    assertThat(Float.float16ToFloat(given.getShort(4))).isEqualTo(65504f);
  }

  @Test
  void operationsComeBeforeRuns() throws Exception {
    take(last, step(List.of(), run(0, 0, 4)));
    take(last, step(List.of(new Copy(0, 1, 3), new Truncate(0, 2)), run(1, 3, 1), run(0, 2, 1)));
    take(last, step(List.of(new Remove(0)), run(0, 0, 1), run(1, 4, 1)));
    assertThat(last.inUse()).isEqualTo(2);
    assertThat(context.calls)
        .containsSubsequence("copy 0 1 3", "truncate 0 2", "decode 2", "remove 0", "decode 2");
  }

  @Test
  void aFailureIsPassedOnUntilTheSequenceIsRemoved() throws Exception {
    Stage middle = stage(StagePart.MIDDLE);
    take(middle, step(List.of(), run(0, 0, 2), run(1, 0, 1)));
    context.failing = true;
    Step failed = (Step) take(middle, step(List.of(), run(0, 2, 1))).content();
    assertThat(failed.failure()).isNotEmpty();
    assertThat(failed.runs()).hasSize(1);
    assertThat(failed.hidden().hasRemaining()).isFalse();
    // Whoever sent the next step did not know yet; what others hold is unknown as well.
    assertThat(((Step) take(middle, step(List.of(), run(0, 3, 1))).content()).failure())
        .isNotEmpty();
    assertThat(((Step) take(middle, step(List.of(), run(1, 1, 1))).content()).failure())
        .isNotEmpty();
    assertThat(
            ((Step) take(middle, step(List.of(new Copy(0, 2, 2)), run(2, 2, 1))).content())
                .failure())
        .isNotEmpty();
    List<StageOperation> all = List.of(new Remove(0), new Remove(1), new Remove(2));
    assertThat(((Step) take(middle, step(all, run(0, 0, 1))).content()).failure()).isEmpty();
    number = 0;
    StepResult result =
        (StepResult)
            take(
                    last,
                    new Step(
                        List.of(), List.of(run(0, 0, 1)), states(0), Precision.F32, "it failed"))
                .content();
    assertThat(result.failure()).isEqualTo("it failed");
  }

  @Test
  void aNewBeginningIsEmpty() throws Exception {
    take(last, step(List.of(sampler(1)), run(0, 0, 4)));
    take(last, step(List.of(new Keep(0, 1))));
    last.begin();
    assertThat(last.inUse()).isZero();
    assertThat(last.openSamplers()).isZero();
    assertThat(context.keptStates).isZero();
    number = 0;
    take(last, step(List.of(sampler(1)), run(0, 0, 4)));
    take(last, step(List.of(new Keep(0, 1))));
  }

  @Test
  void aStateComesBackWithItsTokens() throws Exception {
    take(last, step(List.of(), run(0, 0, 4)));
    take(last, step(List.of(new Keep(0, 9), new Remove(0)), run(0, 0, 1)));
    take(last, step(List.of(new Restore(9, 1), new Truncate(1, 3)), run(1, 3, 1)));
    assertThat(context.calls)
        .containsSubsequence("keep 0", "remove 0", "restore 1", "truncate 1 3", "decode 1");
    take(last, step(List.of(new Restore(9, 2), new Forget(9)), run(2, 4, 1)));
    assertThat(context.keptStates).isZero();
    last.close();
  }

  @Test
  void whatThereWasNoRoomForFailsStepsUntilItsSequenceIsRemoved() throws Exception {
    take(last, step(List.of(), run(0, 0, 1), run(1, 0, 1), run(2, 0, 1)));
    take(last, step(List.of(new Keep(0, 1), new Keep(1, 2), new Keep(2, 3), new Remove(2))));
    assertThat(context.keptStates).isEqualTo(2);
    assertFails(step(List.of(new Restore(3, 2)), run(2, 1, 1)));
    take(last, step(List.of(new Remove(2), new Forget(1), new Forget(3))));
    context.failing = true;
    assertFails(step(List.of(), run(0, 1, 1)));
    // Nobody knows what its sequence holds.
    assertFails(step(List.of(new Keep(0, 1), new Restore(1, 3)), run(3, 1, 1)));
    context.refusing = true;
    take(last, step(List.of(new Remove(0))));
    assertFails(step(List.of(new Restore(2, 0)), run(0, 1, 1)));
  }

  private void assertFails(Step step) throws StageException {
    assertThat(((StepResult) take(last, step).content()).failure()).isNotEmpty();
  }

  @Test
  void statesOfUnknownSequencesDoNotPileUp() throws Exception {
    take(last, step(List.of(), run(0, 0, 1)));
    context.failing = true;
    take(last, step(List.of(), run(0, 1, 1)));
    StageOperation[] many = new StageOperation[7];
    Arrays.setAll(many, key -> new Keep(0, key));
    assertThatThrownBy(() -> take(last, step(List.of(many))))
        .isInstanceOf(StageException.class)
        .hasMessage("1 tokens are to be kept beside 6 (expected: at most 6 together)");
    assertThat(context.keptStates).isZero();
  }

  static Stream<Arguments> hostileSteps() {
    ByteBuffer nan = states(1).putFloat(4, Float.NaN);
    ByteBuffer infinite = states(1).putFloat(8, Float.NEGATIVE_INFINITY);
    List<StageOperation> none = List.of();
    return Stream.of(
        Arguments.of("sequence 4 (", step(none, run(4, 0, 1))),
        Arguments.of("sequence 4294967295", step(none, run(-1, 0, 1))),
        Arguments.of("goes on at position 3 (expected: 2)", step(none, run(0, 3, 1))),
        Arguments.of("goes on at position 1 (expected: 2)", step(none, run(0, 1, 1))),
        Arguments.of("position 4294967295", step(none, run(0, -1, 1))),
        Arguments.of("a run of 0 tokens", step(none, run(0, 2, 0))),
        Arguments.of("a run of 9 tokens (expected: 1 to 8)", step(none, run(0, 2, 9))),
        Arguments.of(
            "a run of 2 tokens (expected: 1 to 1)", step(none, run(0, 2, 7), run(1, 0, 2))),
        Arguments.of("a run of 4294967295", step(none, run(0, 2, -1))),
        Arguments.of("sampler 3 is not open", step(none, wanted(0, 2, 1, 3))),
        Arguments.of("sampler 1 is open already", step(List.of(sampler(1)))),
        Arguments.of("sampler 2 is not open", step(List.of(new CloseSampler(2)))),
        Arguments.of("token 10 (expected", step(List.of(sampler(2, 10)))),
        Arguments.of("token 4294967295", step(List.of(sampler(2, -1)))),
        Arguments.of("sequence 4 (", step(List.of(new Remove(4)))),
        Arguments.of("sequence 4 (", step(List.of(new Truncate(4, 0)))),
        Arguments.of("3 tokens of sequence 0", step(List.of(new Truncate(0, 3)))),
        Arguments.of("4294967295 tokens", step(List.of(new Truncate(0, -1)))),
        Arguments.of("sequence 4 (", step(List.of(new Copy(0, 4, 1)))),
        Arguments.of("sequence 9 (", step(List.of(new Copy(9, 1, 1)))),
        Arguments.of("3 tokens of sequence 0", step(List.of(new Copy(0, 1, 3)))),
        Arguments.of("is not empty", step(List.of(new Copy(0, 0, 1)))),
        Arguments.of("sequence 4 (", step(List.of(new Keep(4, 1)))),
        Arguments.of("sequence 4294967295", step(List.of(new Keep(-1, 1)))),
        Arguments.of("sequence 1 is to be kept and is empty", step(List.of(new Keep(1, 1)))),
        Arguments.of("is kept already", step(List.of(new Keep(0, -1), new Keep(0, -1)))),
        Arguments.of(
            "2 tokens are to be kept beside 6",
            step(List.of(new Keep(0, 1), new Keep(0, 2), new Keep(0, 3), new Keep(0, 4)))),
        Arguments.of("state 1 is not kept", step(List.of(new Restore(1, 1)))),
        Arguments.of("state 4294967295 is not", step(List.of(new Restore(-1, 1)))),
        Arguments.of("is not empty", step(List.of(new Keep(0, 1), new Restore(1, 0)))),
        Arguments.of("sequence 4 (", step(List.of(new Keep(0, 1), new Restore(1, 4)))),
        Arguments.of("state 1 is not kept", step(List.of(new Forget(1)))),
        Arguments.of(
            "state 1 is not kept", step(List.of(new Keep(0, 1), new Forget(1), new Forget(1)))),
        Arguments.of(
            "alternatives", step(none, new Run(0, 2, 1, new Run.Output(1, OptionalInt.of(21))))),
        Arguments.of(
            "hidden states of 24 bytes (expected: 12)",
            new Step(none, List.of(run(0, 2, 1)), states(2), Precision.F32, "")),
        Arguments.of(
            "hidden states of 12 bytes (expected: 6)",
            new Step(none, List.of(run(0, 2, 1)), states(1), Precision.F16, "")),
        Arguments.of(
            "hidden states of 12 bytes (expected: 0)",
            new Step(none, List.of(run(0, 2, 1)), states(1), Precision.F32, "failed")),
        Arguments.of(
            "hidden states of 12 bytes (expected: 0)",
            new Step(none, List.of(), states(1), Precision.F32, "")),
        Arguments.of("is NaN", new Step(none, List.of(run(0, 2, 1)), nan, Precision.F32, "")),
        Arguments.of(
            "is -Infinity", new Step(none, List.of(run(0, 2, 1)), infinite, Precision.F32, "")));
  }

  @ParameterizedTest
  @MethodSource("hostileSteps")
  void hostileStepsAreRefusedInOneSentence(String message, Step hostile) throws Exception {
    take(last, step(List.of(sampler(1)), run(0, 0, 2)));
    int decoded = context.decoded;
    assertThatThrownBy(() -> take(last, hostile))
        .isInstanceOf(StageException.class)
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
    assertThat(context.decoded).isEqualTo(decoded);
  }

  @ParameterizedTest
  @MethodSource("wrongNumbers")
  void framesComeInOrder(long wrong) throws Exception {
    take(last, step(List.of()));
    assertThatThrownBy(() -> last.take(new StageFrame(wrong, step(List.of()))))
        .isInstanceOf(StageException.class)
        .hasMessageContaining("follows frame 1");
  }

  static Stream<Long> wrongNumbers() {
    return Stream.of(0L, 1L, 3L, -1L, Long.MAX_VALUE);
  }

  @Test
  void aResultIsNotForALaterStage() {
    assertThatThrownBy(() -> take(last, new StepResult(List.of(), "")))
        .isInstanceOf(StageException.class)
        .hasMessageContaining("a result came to a later stage");
  }

  @Test
  void samplersDoNotPileUp() {
    StageOperation[] many = new StageOperation[100];
    Arrays.setAll(many, StageTest::sampler);
    assertThatThrownBy(() -> take(last, step(List.of(many))))
        .isInstanceOf(StageException.class)
        .hasMessageContaining("more than 64 samplers are open");
  }
}
