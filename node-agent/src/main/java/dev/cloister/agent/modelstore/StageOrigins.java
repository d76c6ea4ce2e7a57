package dev.cloister.agent.modelstore;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What of which model each stage's file holds, so that nobody has to be asked for a recipe whose
 * file is here. Each origin lies beside its file. Thread-safe.
 */
final class StageOrigins {
  private static final Logger log = LoggerFactory.getLogger(StageOrigins.class);
  private static final String ENDING = ".origin";

  private final String version;
  private final Map<String, Kept> known = new ConcurrentHashMap<>();

  /** A file, and how long it is if it is whole. */
  record Kept(Path file, long sizeBytes) {}

  /**
   * @param directory of stages' files; may be missing
   * @param version of this program: another one may cut models otherwise
   */
  StageOrigins(Path directory, String version) {
    this.version = version;
    if (Files.isDirectory(directory)) {
      try (Stream<Path> files = Files.list(directory)) {
        files.filter(file -> file.toString().endsWith(ENDING)).forEach(this::read);
      } catch (IOException e) {
        log.warn("the stages' files that are here cannot be listed: {}", e.getMessage());
      }
    }
  }

  private void read(Path file) {
    try {
      String[] fields = Files.readString(file).split(" ", 2);
      String name = file.getFileName().toString();
      Path content = file.resolveSibling(name.replace(ENDING, ".gguf"));
      known.put(fields[1], new Kept(content, Long.parseLong(fields[0])));
    } catch (IOException | RuntimeException e) {
      log.warn("{} cannot be read: {}", file, e.toString());
    }
  }

  /** The file with a part of a model, if there was one and this version put it together. */
  Optional<Kept> find(String modelSha256, StagePart part) {
    return Optional.ofNullable(known.get(origin(modelSha256, part)));
  }

  /** Says what a file holds, which is here now. */
  void add(String modelSha256, StagePart part, Path file, long sizeBytes) throws IOException {
    String origin = origin(modelSha256, part);
    Files.writeString(beside(file), sizeBytes + " " + origin);
    known.put(origin, new Kept(file, sizeBytes));
  }

  /** Says that a file goes away. */
  void remove(Path file) throws IOException {
    known.values().removeIf(kept -> kept.file.equals(file));
    Files.deleteIfExists(beside(file));
  }

  private String origin(String modelSha256, StagePart part) {
    return modelSha256
        + switch (part) {
          case StagePart.Layers(int first, int end) -> " %d-%d ".formatted(first, end);
          case StagePart.Lexicon() -> " lexicon ";
        }
        + version;
  }

  private static Path beside(Path file) {
    return file.resolveSibling(file.getFileName().toString().replace(".gguf", ENDING));
  }
}
