package dev.cloister.engine.server;

import com.google.common.primitives.Ints;
import com.google.protobuf.UnsafeByteOperations;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.model.TokenProbabilities;
import dev.cloister.engine.stage.Run;
import dev.cloister.engine.stage.StageException;
import dev.cloister.engine.stage.StageFrame;
import dev.cloister.engine.stage.StageOperation;
import dev.cloister.engine.stage.Step;
import dev.cloister.engine.stage.StepResult;
import dev.cloister.proto.engine.v1.Alternative;
import dev.cloister.proto.engine.v1.Choice;
import dev.cloister.proto.engine.v1.CloseSampler;
import dev.cloister.proto.engine.v1.CopySequence;
import dev.cloister.proto.engine.v1.Defragment;
import dev.cloister.proto.engine.v1.ForgetState;
import dev.cloister.proto.engine.v1.KeepState;
import dev.cloister.proto.engine.v1.OpenSampler;
import dev.cloister.proto.engine.v1.Output;
import dev.cloister.proto.engine.v1.Precision;
import dev.cloister.proto.engine.v1.RemoveSequence;
import dev.cloister.proto.engine.v1.RestoreState;
import dev.cloister.proto.engine.v1.TruncateSequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Frames of the contract in the words of the domain, and back. What is wrong in itself is refused
 * here; what is wrong for a stage, there.
 */
final class StageFrames {

  private StageFrames() {}

  /** The hidden states stay where they are. */
  static StageFrame fromWire(dev.cloister.proto.engine.v1.StageFrame wire) throws StageException {
    return switch (wire.getContentCase()) {
      case STEP -> new StageFrame(wire.getNumber(), step(wire.getStep()));
      case RESULT -> new StageFrame(wire.getNumber(), result(wire.getResult()));
      case CONTENT_NOT_SET -> throw new StageException("a frame has no content");
    };
  }

  private static Step step(dev.cloister.proto.engine.v1.Step wire) throws StageException {
    List<StageOperation> operations = new ArrayList<>(wire.getOperationsCount());
    for (var operation : wire.getOperationsList()) {
      operations.add(operation(operation));
    }
    List<Run> runs = new ArrayList<>(wire.getRunsCount());
    for (var run : wire.getRunsList()) {
      runs.add(
          new Run(
              run.getSequence(),
              run.getPosition(),
              run.getTokens(),
              run.hasOutput() ? output(run.getOutput()) : null));
    }
    Step.Precision precision =
        switch (wire.getPrecision()) {
          case PRECISION_F32 -> Step.Precision.F32;
          case PRECISION_F16 -> Step.Precision.F16;
          case PRECISION_UNSPECIFIED, UNRECOGNIZED ->
              throw new StageException(
                  "precision %d (expected: F32 or F16)".formatted(wire.getPrecisionValue()));
        };
    return new Step(
        operations, runs, wire.getHidden().asReadOnlyByteBuffer(), precision, wire.getFailure());
  }

  private static Run.Output output(Output wire) {
    return new Run.Output(
        wire.getSampler(),
        wire.hasTopLogprobs() ? OptionalInt.of(wire.getTopLogprobs()) : OptionalInt.empty());
  }

  private static StageOperation operation(dev.cloister.proto.engine.v1.StageOperation wire)
      throws StageException {
    return switch (wire.getOperationCase()) {
      case REMOVE -> new StageOperation.Remove(wire.getRemove().getSequence());
      case TRUNCATE ->
          new StageOperation.Truncate(
              wire.getTruncate().getSequence(), wire.getTruncate().getFromPosition());
      case COPY ->
          new StageOperation.Copy(
              wire.getCopy().getFrom(), wire.getCopy().getTo(), wire.getCopy().getTokens());
      case DEFRAGMENT -> new StageOperation.Defragment();
      case KEEP -> new StageOperation.Keep(wire.getKeep().getSequence(), wire.getKeep().getKey());
      case RESTORE ->
          new StageOperation.Restore(wire.getRestore().getKey(), wire.getRestore().getSequence());
      case FORGET -> new StageOperation.Forget(wire.getForget().getKey());
      case OPEN -> open(wire.getOpen());
      case CLOSE -> new StageOperation.CloseSampler(wire.getClose().getSampler());
      case OPERATION_NOT_SET -> throw new StageException("an operation has no content");
    };
  }

  private static StageOperation open(OpenSampler wire) throws StageException {
    Sampling sampling;
    try {
      sampling = SamplingWire.fromWire(wire.getSampling());
    } catch (IllegalArgumentException e) {
      throw new StageException(String.valueOf(e.getMessage()));
    }
    return new StageOperation.OpenSampler(
        wire.getSampler(),
        sampling,
        wire.getGrammar().isEmpty() ? Optional.empty() : Optional.of(wire.getGrammar()),
        Ints.toArray(wire.getPromptList()),
        Ints.toArray(wire.getGeneratedList()));
  }

  private static StepResult result(dev.cloister.proto.engine.v1.StepResult wire) {
    return new StepResult(
        wire.getChoicesList().stream().map(StageFrames::choice).toList(), wire.getFailure());
  }

  private static StepResult.Choice choice(Choice wire) {
    if (!wire.getFailure().isEmpty()) {
      return wire.getRefused()
          ? new StepResult.Choice.Refused(wire.getFailure())
          : new StepResult.Choice.Failed(wire.getFailure());
    }
    return new StepResult.Choice.Token(
        wire.getToken(), wire.hasLogprob() ? probabilities(wire) : null);
  }

  private static TokenProbabilities probabilities(Choice wire) {
    int top = wire.getTopCount();
    int[] tokens = new int[top];
    float[] logprobs = new float[top];
    for (int i = 0; i < top; i++) {
      tokens[i] = wire.getTop(i).getToken();
      logprobs[i] = wire.getTop(i).getLogprob();
    }
    return new TokenProbabilities(wire.getLogprob(), tokens, logprobs);
  }

  /** The hidden states stay where they are: the frame is to be sent before they change. */
  static dev.cloister.proto.engine.v1.StageFrame toWire(StageFrame frame) {
    var wire = dev.cloister.proto.engine.v1.StageFrame.newBuilder().setNumber(frame.number());
    switch (frame.content()) {
      case Step step -> wire.setStep(step(step));
      case StepResult result -> wire.setResult(result(result));
    }
    return wire.build();
  }

  private static dev.cloister.proto.engine.v1.Step step(Step step) {
    var wire =
        dev.cloister.proto.engine.v1.Step.newBuilder()
            .setHidden(UnsafeByteOperations.unsafeWrap(step.hidden()))
            .setPrecision(
                switch (step.precision()) {
                  case F32 -> Precision.PRECISION_F32;
                  case F16 -> Precision.PRECISION_F16;
                })
            .setFailure(step.failure());
    step.operations().forEach(operation -> wire.addOperations(operation(operation)));
    for (Run run : step.runs()) {
      var wireRun =
          dev.cloister.proto.engine.v1.Run.newBuilder()
              .setSequence(run.sequence())
              .setPosition(run.position())
              .setTokens(run.tokens());
      if (run.output() != null) {
        wireRun.setOutput(output(run.output()));
      }
      wire.addRuns(wireRun);
    }
    return wire.build();
  }

  private static Output output(Run.Output output) {
    Output.Builder wire = Output.newBuilder().setSampler(output.sampler());
    output.topLogprobs().ifPresent(wire::setTopLogprobs);
    return wire.build();
  }

  private static dev.cloister.proto.engine.v1.StageOperation operation(StageOperation operation) {
    var wire = dev.cloister.proto.engine.v1.StageOperation.newBuilder();
    switch (operation) {
      case StageOperation.Remove(int sequence) ->
          wire.setRemove(RemoveSequence.newBuilder().setSequence(sequence));
      case StageOperation.Truncate(int sequence, int from) ->
          wire.setTruncate(
              TruncateSequence.newBuilder().setSequence(sequence).setFromPosition(from));
      case StageOperation.Copy(int from, int to, int tokens) ->
          wire.setCopy(CopySequence.newBuilder().setFrom(from).setTo(to).setTokens(tokens));
      case StageOperation.Defragment() -> wire.setDefragment(Defragment.getDefaultInstance());
      case StageOperation.Keep(int sequence, int key) ->
          wire.setKeep(KeepState.newBuilder().setSequence(sequence).setKey(key));
      case StageOperation.Restore(int key, int sequence) ->
          wire.setRestore(RestoreState.newBuilder().setKey(key).setSequence(sequence));
      case StageOperation.Forget(int key) -> wire.setForget(ForgetState.newBuilder().setKey(key));
      case StageOperation.OpenSampler open -> wire.setOpen(open(open));
      case StageOperation.CloseSampler(int sampler) ->
          wire.setClose(CloseSampler.newBuilder().setSampler(sampler));
    }
    return wire.build();
  }

  private static OpenSampler open(StageOperation.OpenSampler open) {
    return OpenSampler.newBuilder()
        .setSampler(open.sampler())
        .setSampling(SamplingWire.toWire(open.sampling()))
        .setGrammar(open.grammar().orElse(""))
        .addAllPrompt(Ints.asList(open.prompt()))
        .addAllGenerated(Ints.asList(open.generated()))
        .build();
  }

  private static dev.cloister.proto.engine.v1.StepResult result(StepResult result) {
    var wire = dev.cloister.proto.engine.v1.StepResult.newBuilder().setFailure(result.failure());
    result.choices().forEach(choice -> wire.addChoices(choice(choice)));
    return wire.build();
  }

  private static Choice choice(StepResult.Choice choice) {
    return switch (choice) {
      case StepResult.Choice.Token(int token, TokenProbabilities probabilities) ->
          token(token, probabilities);
      case StepResult.Choice.Refused(String reason) ->
          Choice.newBuilder().setFailure(reason).setRefused(true).build();
      case StepResult.Choice.Failed(String reason) ->
          Choice.newBuilder().setFailure(reason).build();
    };
  }

  private static Choice token(int token, @Nullable TokenProbabilities probabilities) {
    Choice.Builder wire = Choice.newBuilder().setToken(token);
    if (probabilities != null) {
      wire.setLogprob(probabilities.logprob());
      for (int i = 0; i < probabilities.topTokens().length; i++) {
        wire.addTop(
            Alternative.newBuilder()
                .setToken(probabilities.topTokens()[i])
                .setLogprob(probabilities.topLogprobs()[i]));
      }
    }
    return wire.build();
  }
}
