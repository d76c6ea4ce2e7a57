package dev.cloister.agent.supervisor;

import dev.cloister.agent.modelstore.StageStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.DoubleConsumer;

/** A store that has the layers of any model, in empty files, and knows which are in use. */
final class StageFiles implements StageStore {
  private final Path directory;
  private final List<Path> inUse = new CopyOnWriteArrayList<>();

  StageFiles(Path directory) {
    this.directory = directory;
  }

  @Override
  public Path obtain(String modelSha256, int firstLayer, int endLayer, DoubleConsumer progress)
      throws IOException {
    return file("%s-%d-%d".formatted(modelSha256, firstLayer, endLayer));
  }

  @Override
  public Path lexicon(String modelSha256, DoubleConsumer progress) throws IOException {
    return file(modelSha256 + "-lexicon");
  }

  private Path file(String name) throws IOException {
    Path file = Files.createDirectories(directory).resolve(name + ".gguf");
    if (!Files.exists(file)) {
      Files.createFile(file);
    }
    inUse.add(file);
    return file;
  }

  @Override
  public void release(Path file) {
    inUse.remove(file);
  }

  List<Path> inUse() {
    return List.copyOf(inUse);
  }
}
