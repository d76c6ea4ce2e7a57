package dev.cloister.engine.stage;

import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.DecodeException;
import dev.cloister.engine.model.TokenProbabilities;
import dev.cloister.engine.model.TokenSampler;
import dev.cloister.engine.stage.StageOperation.OpenSampler;
import dev.cloister.engine.stage.StepResult.Choice;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The samplers of a context that gives logits. Not thread-safe. */
final class Samplers implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Samplers.class);

  private final DecodeContext context;
  private final Map<Integer, TokenSampler> open = new HashMap<>();

  /** What those that could not be made answer instead. */
  private final Map<Integer, Choice.Refused> unmade = new HashMap<>();

  Samplers(DecodeContext context) {
    this.context = context;
  }

  /** Throws IllegalArgumentException for what cannot be used, in one sentence. */
  void open(OpenSampler request) {
    TokenSampler sampler = context.newSampler(request.sampling(), request.grammar());
    try {
      for (int token : request.prompt()) {
        sampler.accept(token, false);
      }
      for (int token : request.generated()) {
        sampler.accept(token, true);
      }
    } catch (DecodeException e) {
      sampler.close();
      throw new IllegalArgumentException("resume: " + e.getMessage(), e);
    }
    open.put(request.sampler(), sampler);
  }

  /** Makes a sampler, or keeps why there is none until it is asked. */
  void openOrRemember(OpenSampler request) {
    try {
      open(request);
    } catch (IllegalArgumentException e) {
      unmade.put(request.sampler(), new Choice.Refused(String.valueOf(e.getMessage())));
    } catch (StackOverflowError e) {
      unmade.put(request.sampler(), new Choice.Refused("grammar: it is nested too deeply"));
    }
  }

  boolean isOpen(int id) {
    return open.containsKey(id) || unmade.containsKey(id);
  }

  int size() {
    return open.size() + unmade.size();
  }

  void close(int id) {
    unmade.remove(id);
    TokenSampler sampler = open.remove(id);
    if (sampler != null) {
      sampler.close();
    }
  }

  /** Chooses the tokens that the runs of the batch that was computed want. */
  List<Choice> choose(List<Run> runs) {
    List<Choice> choices = new ArrayList<>(runs.size());
    int place = -1;
    for (Run run : runs) {
      place += run.tokens();
      if (run.output() != null) {
        choices.add(choose(place, run.output()));
      }
    }
    return choices;
  }

  private Choice choose(int place, Run.Output output) {
    TokenSampler sampler = open.get(output.sampler());
    if (sampler == null) {
      Choice refused = unmade.get(output.sampler());
      return refused == null ? new Choice.Failed("there is no sampler of this number") : refused;
    }
    try {
      int token = sampler.sample(place);
      TokenProbabilities probabilities =
          output.topLogprobs().isPresent()
              ? context.probabilities(place, token, output.topLogprobs().getAsInt())
              : null;
      return new Choice.Token(token, probabilities);
    } catch (RuntimeException | StackOverflowError e) {
      return failed(e);
    }
  }

  /** What native code says is not of the answer; what others say may be. */
  private static Choice.Failed failed(Throwable failure) {
    log.debug("a token could not be chosen", failure);
    return new Choice.Failed(
        failure instanceof DecodeException
            ? String.valueOf(failure.getMessage())
            : failure.getClass().getName());
  }

  @Override
  public void close() {
    open.values().forEach(TokenSampler::close);
    open.clear();
    unmade.clear();
  }
}
