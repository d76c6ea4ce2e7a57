package dev.cloister.agent.supervisor;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.modelstore.ModelStore;
import dev.cloister.agent.modelstore.StageStore;
import dev.cloister.identity.ticket.PlanTicket;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** The models this machine serves, by name. Thread-safe. */
public final class Supervisor implements AutoCloseable {
  private final ModelStore store;
  private final StageStore stages;
  private final EngineLauncher launcher;
  private final MemoryBudget memory;
  private final StatusListener listener;
  private final Map<String, ServedModel> models = new ConcurrentHashMap<>();
  private boolean closed;

  /**
   * @param memoryLimit bytes of main memory that all engines together may take
   */
  public Supervisor(
      ModelStore store,
      StageStore stages,
      EngineLauncher launcher,
      OptionalLong memoryLimit,
      StatusListener listener) {
    this.store = store;
    this.stages = stages;
    this.launcher = launcher;
    this.memory = new MemoryBudget(memoryLimit);
    this.listener = listener;
  }

  /**
   * Serves a model from now on. Another file or other limits under the same name replace the old;
   * an engine that suits another plan as well goes on. Does nothing once this is closed.
   */
  public synchronized void serve(ModelSpec spec) {
    if (closed) {
      return;
    }
    @Nullable ServedModel current = models.get(spec.name());
    if (current != null) {
      if (current.spec().hasEngineOf(spec)) {
        current.follow(spec);
        return;
      }
      current.end();
      current.awaitEnd();
    }
    ServedModel model = new ServedModel(spec, store, stages, launcher, memory, listener);
    models.put(spec.name(), model);
    model.start();
  }

  /** Serves a model no more, if it ever did; its files stay. */
  public synchronized void drop(String name) {
    @Nullable ServedModel model = models.remove(name);
    if (model != null) {
      model.end();
      model.awaitEnd();
    }
  }

  /** Whether this is what is served under its name. */
  public boolean serves(ModelSpec spec) {
    @Nullable ServedModel model = models.get(spec.name());
    return model != null && model.spec().equals(spec);
  }

  /** The engine of the stage that a ticket is for, if it is loaded. */
  public Optional<EngineClient> stage(String model, PlanTicket ticket) {
    return Optional.ofNullable(models.get(model)).flatMap(served -> served.stage(ticket));
  }

  /** The engine of a model, if it answers. */
  public Optional<EngineClient> engine(String model) {
    return Optional.ofNullable(models.get(model)).flatMap(ServedModel::ready);
  }

  /** Memory that a model's engine takes now; 0 if it has none or that cannot be told. */
  public long residentBytes(String model) {
    return Optional.ofNullable(models.get(model)).map(ServedModel::residentBytes).orElse(0L);
  }

  /** Tells the status of every model; for each in order with what the listener is told. */
  public void forEach(BiConsumer<ModelSpec, ModelStatus> action) {
    models.values().forEach(model -> model.tell(action));
  }

  /** Ends all engines. */
  @Override
  public synchronized void close() {
    closed = true;
    models.values().forEach(ServedModel::end);
    models.values().forEach(ServedModel::awaitEnd);
    models.clear();
    launcher.close();
  }
}
