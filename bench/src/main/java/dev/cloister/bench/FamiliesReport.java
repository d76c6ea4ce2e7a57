package dev.cloister.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cloister.engine.families.FamilyProof;
import dev.cloister.engine.families.FamilyTable;
import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.gguf.GgufException;
import dev.cloister.engine.library.InstalledLibraries;
import dev.cloister.engine.library.InstalledLibrary;
import dev.cloister.engine.library.Machine;
import dev.cloister.engine.llamacpp.LlamaCpp;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Which model families compute the same in stages as whole, on each native library there is. */
public final class FamiliesReport {
  private final Path libraryCache;
  private final PrintWriter progress;

  /**
   * @param libraryCache where native libraries are kept
   * @param progress hears what is being proved
   */
  public FamiliesReport(Path libraryCache, PrintWriter progress) {
    this.libraryCache = libraryCache;
    this.progress = progress;
  }

  /**
   * Proves and reports; takes minutes.
   *
   * @param json gets the proofs too, unless null
   * @return whether no proof failed
   */
  public boolean run(PrintWriter out, @Nullable Path json)
      throws IOException, ModelLoadException, GgufException {
    try (ScratchDirectory scratch = new ScratchDirectory()) {
      FamilyTable table =
          FamilyTable.of(
              libraries(),
              scratch.path(),
              what -> {
                progress.println(what);
                progress.flush();
              });
      table.print(out);
      out.flush();
      if (json != null) {
        write(json, table);
      }
      return table.sound();
    }
  }

  private List<LlamaCpp> libraries() throws ModelLoadException {
    List<LlamaCpp> libraries = new ArrayList<>();
    LlamaCpp.b4916(libraryCache).ifPresent(libraries::add);
    Optional<InstalledLibrary> installed =
        InstalledLibraries.in(libraryCache).best(Machine.current());
    if (installed.isPresent()) {
      libraries.add(LlamaCpp.v050(installed.get().backendFolders()));
    }
    return libraries;
  }

  private static void write(Path json, FamilyTable table) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode root = mapper.createObjectNode().put("command", "cloister bench families");
    var rows = root.putArray("families");
    for (FamilyProof proof : table.proofs()) {
      ObjectNode row =
          rows.addObject()
              .put("architecture", proof.architecture().key())
              .put("library", proof.library())
              .put("outcome", proof.outcome().name().toLowerCase(Locale.ROOT));
      proof.difference().ifPresent(difference -> row.put("difference", difference));
    }
    mapper.writerWithDefaultPrettyPrinter().writeValue(json.toFile(), root);
  }
}
