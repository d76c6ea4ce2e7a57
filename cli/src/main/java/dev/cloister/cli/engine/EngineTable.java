package dev.cloister.cli.engine;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.engine.library.Backend;
import dev.cloister.engine.library.InstalledLibraries;
import dev.cloister.engine.library.InstalledLibrary;
import dev.cloister.engine.library.LibraryBuild;
import dev.cloister.engine.library.LibraryCatalog;
import dev.cloister.engine.library.Machine;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The libraries of a machine as {@code cloister engine list} shows them.
 *
 * @param reason why the default is the default
 */
record EngineTable(List<Row> rows, String reason) {
  private static final String COMES_WITH_CLOISTER = "b4916";

  /** What is so of a library, in the words of {@code --json}. */
  enum State {
    BUILT_IN("comes with Cloister"),
    INSTALLED("installed"),
    AVAILABLE("not installed"),
    DAMAGED("damaged");

    private final String words;

    State(String words) {
      this.words = words;
    }
  }

  /**
   * @param sizeBytes on disk, or to be downloaded; 0 if it is not known
   * @param note what the machine lacks for it, or what is wrong with it; empty if nothing
   * @param used whether engines run on it unless told otherwise
   */
  record Row(
      String version,
      String backend,
      State state,
      long sizeBytes,
      String note,
      boolean used,
      @Nullable Path path) {}

  static EngineTable of(
      LibraryCatalog catalog, Machine machine, InstalledLibraries installed, boolean verify)
      throws IOException {
    Optional<InstalledLibrary> best = installed.best(machine);
    List<Row> rows = new ArrayList<>();
    rows.add(
        new Row(
            COMES_WITH_CLOISTER, Backend.CPU.id(), State.BUILT_IN, 0, "", best.isEmpty(), null));
    for (InstalledLibrary library : installed.usable()) {
      Optional<String> fault = verify ? library.verify() : Optional.empty();
      rows.add(
          new Row(
              library.version(),
              library.backend().id(),
              fault.isPresent() ? State.DAMAGED : State.INSTALLED,
              library.bytes(),
              fault.orElse(
                  library.platform().equals(machine.platform())
                      ? machine.obstacle(library.backend()).orElse("")
                      : "is for " + library.platform()),
              best.filter(library::equals).isPresent(),
              library.folder()));
    }
    for (InstalledLibraries.Damaged damaged : installed.damaged()) {
      rows.add(new Row("?", "?", State.DAMAGED, 0, damaged.reason(), false, damaged.folder()));
    }
    for (LibraryBuild build : catalog.builds(machine.platform())) {
      if (installed.find(build).isEmpty()) {
        rows.add(
            new Row(
                build.version(),
                build.backend().id(),
                State.AVAILABLE,
                build.packedBytes(),
                machine.obstacle(build.backend()).orElse(""),
                false,
                null));
      }
    }
    return new EngineTable(List.copyOf(rows), reason(best, installed));
  }

  private static String reason(Optional<InstalledLibrary> best, InstalledLibraries installed) {
    if (best.isEmpty()) {
      return installed.usable().isEmpty()
          ? "no other is installed"
          : "none of the installed ones runs on this machine";
    }
    return best.get().backend() == Backend.CPU
        ? "no installed one uses a GPU of this machine"
        : "it uses this machine's GPU";
  }

  /** Whether nothing that is installed is damaged. */
  boolean isSound() {
    return rows.stream().noneMatch(row -> row.state() == State.DAMAGED);
  }

  void print(PrintWriter out) {
    OutputOptions.table(
        out,
        List.of("library", "version", "backend", "size", "state"),
        rows.stream()
            .map(
                row ->
                    List.of(
                        "llama.cpp",
                        row.version(),
                        row.backend(),
                        row.sizeBytes() == 0 ? "-" : OutputOptions.size(row.sizeBytes()),
                        row.state().words
                            + (row.used() ? ", used: " + reason : "")
                            + (row.note().isEmpty() ? "" : "; " + row.note())))
            .toList());
    for (Row row : rows) {
      if (row.state() == State.DAMAGED) {
        out.println();
        out.println("damaged: " + row.path() + "; install it again with: cloister engine install");
      }
    }
  }

  void write(JsonGenerator json) throws IOException {
    json.writeStartArray();
    for (Row row : rows) {
      json.writeStartObject();
      json.writeStringField("library", "llama.cpp");
      json.writeStringField("version", row.version());
      json.writeStringField("backend", row.backend());
      json.writeStringField("state", row.state().name().toLowerCase(Locale.ROOT));
      json.writeNumberField("size_bytes", row.sizeBytes());
      json.writeStringField("note", row.note());
      json.writeBooleanField("used", row.used());
      json.writeStringField("reason", row.used() ? reason : "");
      json.writeStringField("path", row.path() == null ? "" : row.path().toString());
      json.writeEndObject();
    }
    json.writeEndArray();
  }
}
