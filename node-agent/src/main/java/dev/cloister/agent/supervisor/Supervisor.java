package dev.cloister.agent.supervisor;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.modelstore.ModelStore;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** The models this machine serves, by name. Thread-safe. */
public final class Supervisor implements AutoCloseable {
  private final ModelStore store;
  private final EngineLauncher launcher;
  private final StatusListener listener;
  private final Map<String, ServedModel> models = new ConcurrentHashMap<>();
  private boolean closed;

  public Supervisor(ModelStore store, EngineLauncher launcher, StatusListener listener) {
    this.store = store;
    this.launcher = launcher;
    this.listener = listener;
  }

  /**
   * Serves a model from now on. Another file or other limits under the same name replace the old.
   * Does nothing once this is closed.
   */
  public synchronized void serve(ModelSpec spec) {
    if (closed) {
      return;
    }
    @Nullable ServedModel current = models.get(spec.name());
    if (current != null) {
      if (current.spec().equals(spec)) {
        return;
      }
      current.end();
      current.awaitEnd();
    }
    ServedModel model = new ServedModel(spec, store, launcher, listener);
    models.put(spec.name(), model);
    model.start();
  }

  /** The engine of a model, if it answers. */
  public Optional<EngineClient> engine(String model) {
    return Optional.ofNullable(models.get(model)).flatMap(ServedModel::ready);
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
