package dev.cloister.engine.library;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** What a build of llama.cpp computes on; the one to prefer comes first. Each runs on CPUs too. */
public enum Backend {
  CUDA,
  METAL,
  VULKAN,
  CPU;

  /** As the command line and folders write it: {@code cuda}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Optional<Backend> of(String id) {
    return Stream.of(values()).filter(backend -> backend.id().equals(id)).findFirst();
  }
}
