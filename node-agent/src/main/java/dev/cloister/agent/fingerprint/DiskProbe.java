package dev.cloister.agent.fingerprint;

import dev.cloister.agent.fingerprint.host.Probe;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;

/** The volume of a directory, which need not exist yet. */
final class DiskProbe implements Probe<Disk> {

  private final Path directory;

  DiskProbe(Path directory) {
    this.directory = directory;
  }

  @Override
  public Disk probe() throws Exception {
    Path existing = directory.toAbsolutePath();
    while (!Files.exists(existing) && existing.getParent() != null) {
      existing = existing.getParent();
    }
    FileStore volume = Files.getFileStore(existing);
    // Both are negative where a size does not fit 63 bits.
    long total = Math.max(0, volume.getTotalSpace());
    return new Disk(total, Math.clamp(volume.getUsableSpace(), 0, total));
  }
}
