package dev.cloister.agent.modelstore;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.DoubleConsumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps stages' files in one directory, each named after its recipe's digest, with a list of its
 * pieces and its {@linkplain StageOrigins origin} beside it. A file is there under its name only
 * once all pieces were verified; what is still arriving is named {@code .part} and is continued
 * after a break. Files that are not in use are removed, those first that were used longest ago, as
 * soon as they take more than they may or the space is wanted.
 *
 * <p>Thread-safe; fetches run one after the other, since they share one network.
 */
public final class StageFiles implements StageStore {
  private static final Logger log = LoggerFactory.getLogger(StageFiles.class);

  /** Plans change and change back: what is not in use may be wanted again. */
  private static final long UNUSED_BYTES = 32L << 30;

  private final Path directory;
  private final StageSource source;
  private final LocalPieces local;
  private final StageOrigins origins;
  private final InstantSource clock;
  private final long unusedBytes;
  private final ModelStore.FreeSpace space;
  private final ReentrantLock fetching = new ReentrantLock();
  private final Map<Path, Integer> uses = new HashMap<>();

  /**
   * @param directory made at the first fetch
   * @param local pieces that are on this machine already
   * @param version of this program
   * @param limit of what models take on this machine
   */
  public StageFiles(
      Path directory,
      StageSource source,
      LocalPieces local,
      InstantSource clock,
      String version,
      DiskLimit limit) {
    this(directory, source, local, clock, version, UNUSED_BYTES, limit.space(directory));
  }

  StageFiles(
      Path directory,
      StageSource source,
      LocalPieces local,
      InstantSource clock,
      String version,
      long unusedBytes,
      ModelStore.FreeSpace space) {
    this.directory = directory;
    this.source = source;
    this.local = local;
    this.origins = new StageOrigins(directory, version);
    this.clock = clock;
    this.unusedBytes = unusedBytes;
    this.space = space;
  }

  @Override
  public Path obtain(String modelSha256, int firstLayer, int endLayer, DoubleConsumer progress)
      throws IOException {
    return obtain(modelSha256, new StagePart.Layers(firstLayer, endLayer), progress);
  }

  @Override
  public Path lexicon(String modelSha256, DoubleConsumer progress) throws IOException {
    return obtain(modelSha256, new StagePart.Lexicon(), progress);
  }

  private Path obtain(String model, StagePart part, DoubleConsumer progress) throws IOException {
    Sha256.require(model);
    Optional<Path> kept = kept(model, part);
    if (kept.isPresent()) {
      return kept.get();
    }
    try (StageSource.Offer offer = source.describe(model, part)) {
      StageRecipe recipe = offer.recipe();
      Path file = directory.resolve(recipe.sha256() + ".gguf");
      use(file);
      boolean obtained = false;
      try {
        if (!isHere(file, recipe.sizeBytes())) {
          fetchInTurn(model, offer, file, progress);
        }
        origins.add(model, part, file, recipe.sizeBytes());
        obtained = true;
        return file;
      } finally {
        if (!obtained) {
          release(file);
        }
      }
    }
  }

  /** A file that is here, in use from now on: it needs no recipe. */
  private Optional<Path> kept(String model, StagePart part) throws IOException {
    Optional<StageOrigins.Kept> kept = origins.find(model, part);
    if (kept.isEmpty()) {
      return Optional.empty();
    }
    Path file = kept.get().file();
    use(file);
    if (isHere(file, kept.get().sizeBytes())) {
      return Optional.of(file);
    }
    release(file);
    return Optional.empty();
  }

  private void fetchInTurn(
      String model, StageSource.Offer offer, Path file, DoubleConsumer progress)
      throws IOException {
    try {
      fetching.lockInterruptibly();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("the fetch was called off");
    }
    try {
      if (!isHere(file, offer.recipe().sizeBytes())) {
        Files.createDirectories(directory);
        fetch(model, offer, file, progress);
      }
    } finally {
      fetching.unlock();
    }
  }

  /** A file of another size was damaged after it was verified; it is fetched again. */
  private static boolean isHere(Path file, long sizeBytes) throws IOException {
    return Files.exists(file) && Files.size(file) == sizeBytes;
  }

  private void fetch(String model, StageSource.Offer offer, Path file, DoubleConsumer progress)
      throws IOException {
    StageRecipe recipe = offer.recipe();
    Path part = sibling(file, ".part");
    long here = Files.exists(part) ? Files.size(part) : 0;
    if (here > recipe.sizeBytes()) {
      Files.delete(part);
      here = 0;
    }
    makeRoom(Math.max(0, recipe.writtenBytes() - here));
    List<PieceSource> sources = new ArrayList<>(List.of(local));
    sources.addAll(offer.pieces());
    try (FileChannel out = FileChannel.open(part, CREATE, READ, WRITE)) {
      new StageAssembly(model, recipe, sources, out, progress).run();
      // Else a power cut could leave the name without the bytes.
      out.force(true);
    }
    local.add(file, recipe);
    Files.move(part, file, ATOMIC_MOVE);
    log.info("a stage's file of model {} is here, {} bytes", model, recipe.sizeBytes());
  }

  private synchronized void use(Path file) throws IOException {
    uses.merge(file, 1, Integer::sum);
    touch(file);
  }

  @Override
  public synchronized void release(Path file) {
    uses.computeIfPresent(file, (_, count) -> count == 1 ? null : count - 1);
    try {
      touch(file);
      removeUnused(0);
    } catch (IOException e) {
      log.warn("stages' files that are not in use cannot be removed: {}", e.getMessage());
    }
  }

  private void touch(Path file) throws IOException {
    if (Files.exists(file)) {
      Files.setLastModifiedTime(file, FileTime.from(clock.instant()));
    }
  }

  /**
   * @throws IOException if there is no room even without the files that are not in use
   */
  private synchronized void makeRoom(long bytes) throws IOException {
    removeUnused(bytes);
    long free = space.bytes();
    if (free < bytes + ModelStore.RESERVED_BYTES) {
      throw new IOException(
          "the disk has %d MiB free for models, the stage needs %d MiB"
              .formatted(free >> 20, (bytes + ModelStore.RESERVED_BYTES) >> 20));
    }
  }

  private void removeUnused(long wanted) throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    List<Path> unused;
    try (Stream<Path> files = Files.list(directory)) {
      unused =
          files
              .filter(StageFiles::isContent)
              .filter(file -> !uses.containsKey(sibling(file, ".gguf")))
              .sorted(Comparator.comparing(StageFiles::lastUse))
              .toList();
    }
    long bytes = 0;
    for (Path file : unused) {
      bytes += Files.size(file);
    }
    for (Path file : unused) {
      if (bytes <= unusedBytes && space.bytes() >= wanted + ModelStore.RESERVED_BYTES) {
        return;
      }
      bytes -= Files.size(file);
      log.info("{} is not in use and makes room", file.getFileName());
      local.remove(sibling(file, ".gguf"));
      origins.remove(sibling(file, ".gguf"));
      Files.deleteIfExists(file);
    }
  }

  private static boolean isContent(Path file) {
    String name = file.toString();
    return name.endsWith(".gguf") || name.endsWith(".part");
  }

  /** What is gone meanwhile was used longest ago. */
  private static FileTime lastUse(Path file) {
    try {
      return Files.getLastModifiedTime(file);
    } catch (IOException e) {
      return FileTime.fromMillis(0);
    }
  }

  private static Path sibling(Path file, String ending) {
    String name = file.getFileName().toString();
    return file.resolveSibling(name.substring(0, name.lastIndexOf('.')) + ending);
  }
}
