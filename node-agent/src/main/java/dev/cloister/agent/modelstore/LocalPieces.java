package dev.cloister.agent.modelstore;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this machine has of models: whole files, which came with the installation or were fetched,
 * and pieces in stages' files. Other agents fetch it from here. Thread-safe.
 */
public final class LocalPieces implements PieceSource {
  private static final Logger log = LoggerFactory.getLogger(LocalPieces.class);
  private static final String LIST = ".pieces";

  private final ModelStore models;
  private final BundledModels bundled;

  /** Where each piece lies, by its digest. */
  private final Map<String, Place> places = new ConcurrentHashMap<>();

  /**
   * Bytes of a file.
   *
   * @param offset where they begin
   */
  public record Place(Path file, long offset, long length) {
    /** A part of it; empty if it does not have that many bytes. */
    public Optional<Place> part(long from, long bytes) {
      return from >= 0 && bytes >= 0 && from <= length - bytes
          ? Optional.of(new Place(file, offset + from, bytes))
          : Optional.empty();
    }
  }

  /**
   * @param stages the directory of stages' files; may be missing
   */
  public LocalPieces(ModelStore models, BundledModels bundled, Path stages) {
    this.models = models;
    this.bundled = bundled;
    if (Files.isDirectory(stages)) {
      try (Stream<Path> files = Files.list(stages)) {
        files.filter(file -> file.toString().endsWith(LIST)).forEach(this::read);
      } catch (IOException e) {
        log.warn("the stages' files that are here cannot be listed: {}", e.getMessage());
      }
    }
  }

  /**
   * Where the whole file of a model lies, or a piece of one.
   *
   * @param sha256 of the file or the piece
   */
  public Optional<Place> find(String sha256) throws IOException {
    @Nullable Place piece = places.get(Sha256.require(sha256));
    if (piece != null) {
      return Optional.of(piece);
    }
    Optional<Path> whole = models.find(sha256);
    if (whole.isEmpty()) {
      whole = bundled.find(sha256);
    }
    return whole.isPresent()
        ? Optional.of(new Place(whole.get(), 0, Files.size(whole.get())))
        : Optional.empty();
  }

  @Override
  public InputStream open(String modelSha256, StageRecipe.Piece piece, long from)
      throws IOException {
    Optional<Place> own = find(piece.sha256());
    if (own.isPresent()) {
      return open(own.get(), from);
    }
    Optional<Place> whole = find(modelSha256);
    if (whole.isPresent()) {
      return open(whole.get(), piece.offset() + from);
    }
    throw new NoSuchFileException(piece.sha256());
  }

  /** Opens the file of a place, in front of a byte of it; reading goes on behind its end. */
  private static InputStream open(Place place, long from) throws IOException {
    FileChannel file = FileChannel.open(place.file);
    try {
      return Channels.newInputStream(file.position(place.offset + from));
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** Says that a file has come, or will be there in a moment; the list of its pieces is written. */
  void add(Path file, StageRecipe recipe) throws IOException {
    List<String> lines = new ArrayList<>();
    long position = 0;
    for (StageRecipe.Part part : recipe.parts()) {
      if (part instanceof StageRecipe.Piece piece) {
        lines.add("%s %d %d".formatted(piece.sha256(), position, piece.length()));
      }
      position += part.length();
    }
    Path list = list(file);
    Files.write(list, lines);
    read(list);
  }

  /** Says that a file goes away. */
  void remove(Path file) throws IOException {
    places.values().removeIf(place -> place.file.equals(file));
    Files.deleteIfExists(list(file));
  }

  private void read(Path list) {
    String name = list.getFileName().toString();
    Path file = list.resolveSibling(name.substring(0, name.length() - LIST.length()) + ".gguf");
    try {
      for (String line : Files.readAllLines(list)) {
        String[] fields = line.split(" ", -1);
        places.put(
            fields[0], new Place(file, Long.parseLong(fields[1]), Long.parseLong(fields[2])));
      }
    } catch (IOException | RuntimeException e) {
      log.warn("{} cannot be read: {}", list, e.toString());
    }
  }

  private static Path list(Path file) {
    String name = file.getFileName().toString();
    return file.resolveSibling(name.substring(0, name.lastIndexOf('.')) + LIST);
  }
}
