package dev.cloister.engine.batching;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.engine.generation.ModelFacts;
import dev.cloister.engine.model.ContextOptions;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.Model;
import dev.cloister.engine.model.ModelProperties;
import dev.cloister.engine.model.Pooling;
import dev.cloister.engine.model.StagePart;
import dev.cloister.engine.model.Vocabulary;
import dev.cloister.engine.stage.LaterStage;
import dev.cloister.engine.stage.RingPipeline;
import dev.cloister.engine.stage.RingStage;
import dev.cloister.engine.stage.StageFrame;
import dev.cloister.engine.stage.Step;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A ring of stages over fake contexts, whose frames go from one to the next without a network. */
final class FakeRing implements AutoCloseable {
  final List<FakeContext> contexts = new ArrayList<>();
  final RingPipeline first;

  /** What the first stage has sent, in order. */
  final List<Step> steps = Collections.synchronizedList(new ArrayList<>());

  /** Why stages refused a frame. */
  final List<String> refusals = Collections.synchronizedList(new ArrayList<>());

  volatile boolean closed;
  private final List<LaterStage> later = new ArrayList<>();
  private final List<RingStage.Inlet> inlets = new ArrayList<>();

  FakeRing(int stages, BatchLimits limits, int cells, int batchTokens) {
    this(stages, limits, cells, batchTokens, limits.shelfBytes());
  }

  /**
   * @param laterShelfBytes that stages behind the first one have
   */
  FakeRing(int stages, BatchLimits limits, int cells, int batchTokens, long laterShelfBytes) {
    for (int i = 0; i < stages; i++) {
      contexts.add(new FakeContext(limits, cells, batchTokens));
    }
    first =
        new RingPipeline(contexts.getFirst(), stages, 1, FakeVocabulary.SIZE, Step.Precision.F32);
    first.onClosed(now -> closed = now);
    ModelFacts facts = new ModelFacts(limits.contextTokens(), 1, "fake", true, Set.of());
    for (int i = 1; i < stages; i++) {
      StagePart part = i == stages - 1 ? StagePart.LAST : StagePart.MIDDLE;
      later.add(
          LaterStage.start(
              new FakeModel(part), facts, contexts.get(i), Step.Precision.F32, laterShelfBytes));
    }
  }

  /** Connects all stages anew. */
  void connect() {
    List<Wire> wires = new ArrayList<>();
    List<RingStage> stages = new ArrayList<>(later);
    stages.addFirst(first);
    for (int i = 0; i < stages.size(); i++) {
      wires.add(new Wire(i == 0));
    }
    inlets.clear();
    // The first stage comes last: it sends at once.
    for (int i = stages.size() - 1; i >= 0; i--) {
      RingStage.Inlet inlet = stages.get(i).connect(wires.get(i));
      inlets.add(inlet);
      wires.get((i + stages.size() - 1) % stages.size()).to(inlet);
    }
  }

  /** Ends the connection of all stages. */
  void lose() {
    inlets.forEach(RingStage.Inlet::end);
  }

  private final class Wire implements RingStage.Outlet {
    private final boolean first;
    private final List<StageFrame> early = new ArrayList<>();
    private RingStage.@Nullable Inlet to;

    Wire(boolean first) {
      this.first = first;
    }

    synchronized void to(RingStage.Inlet inlet) {
      to = inlet;
      early.forEach(inlet::give);
    }

    @Override
    public synchronized void send(StageFrame frame) {
      StageFrame sent = frame;
      if (frame.content() instanceof Step step) {
        ByteBuffer hidden = ByteBuffer.allocate(step.hidden().remaining());
        hidden.put(step.hidden().duplicate()).flip();
        Step copy =
            new Step(step.operations(), step.runs(), hidden, step.precision(), step.failure());
        sent = new StageFrame(frame.number(), copy);
        if (first) {
          steps.add(copy);
        }
      }
      if (to == null) {
        early.add(sent);
      } else {
        to.give(sent);
      }
    }

    @Override
    public void taken() {}

    @Override
    public void refuse(String reason) {
      refusals.add(reason);
    }
  }

  @Override
  public void close() {
    later.forEach(LaterStage::close);
  }

  /** No stage was sent what it must not be, and all have freed what they had. */
  void requireNothingLeft() {
    assertThat(refusals).isEmpty();
    for (FakeContext context : contexts) {
      assertThat(context.closed).isTrue();
      assertThat(context.openSamplers).hasValue(0);
      assertThat(context.keptBytes).hasValue(0);
    }
  }

  private record FakeModel(StagePart part) implements Model {
    @Override
    public ModelProperties properties() {
      return new ModelProperties("fake", 1, 1, 1, 1, 1, false, Pooling.NONE, "fake");
    }

    @Override
    public Vocabulary vocabulary() {
      return new FakeVocabulary();
    }

    @Override
    public DecodeContext openContext(ContextOptions options) {
      throw new IllegalStateException("its context is there already");
    }

    @Override
    public void close() {}
  }
}
