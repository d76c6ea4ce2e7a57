package dev.cloister.coordinator.fakes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationSink;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;

/** Keeps what it is given, and notices two events at once. Thread-safe. */
public final class RecordingSink implements GenerationSink {
  private final List<GenerationEvent> events = new CopyOnWriteArrayList<>();
  private final List<String> awaited = new CopyOnWriteArrayList<>();
  private final AtomicBoolean busy = new AtomicBoolean();
  private volatile boolean overlapped;

  @Override
  public void accept(GenerationEvent event) {
    if (!busy.compareAndSet(false, true)) {
      overlapped = true;
    }
    events.add(event);
    busy.set(false);
  }

  @Override
  public void waits(String what) {
    awaited.add(what);
  }

  /** What it was told that the generation waits for. */
  public List<String> awaited() {
    return awaited;
  }

  public List<GenerationEvent> events() {
    return events;
  }

  public long started() {
    return events.stream().filter(Started.class::isInstance).count();
  }

  public long ended() {
    return events.stream().filter(e -> e instanceof Finished || e instanceof Failed).count();
  }

  public Optional<Failed> failure() {
    return events.stream().filter(Failed.class::isInstance).map(Failed.class::cast).findFirst();
  }

  /** Checks that it was told of a failure with a message that begins like this. */
  public void assertFailed(FailureCode code, String message) {
    Failed failed = failure().orElseThrow();
    assertThat(failed.code()).isEqualTo(code);
    assertThat(failed.message()).startsWith(message);
  }

  public String text() {
    return events.stream()
        .filter(TextDelta.class::isInstance)
        .map(event -> ((TextDelta) event).text())
        .collect(Collectors.joining());
  }

  /** Whether two events came at once. */
  public boolean overlapped() {
    return overlapped;
  }
}
