package dev.cloister.cli.outcome;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** {@code --json}, on everything that prints. */
public final class OutputOptions {
  @Option(names = "--json", description = "Print JSON: stable, for programs.")
  private boolean json;

  public boolean json() {
    return json;
  }

  /** Writes one JSON value. */
  @FunctionalInterface
  public interface Content {
    void write(JsonGenerator json) throws IOException;
  }

  /** Prints one JSON value on one line. */
  public void print(CommandSpec spec, Content content) {
    StringWriter text = new StringWriter();
    try (JsonGenerator generator = new JsonFactory().createGenerator(text)) {
      content.write(generator);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory failed", e);
    }
    spec.commandLine().getOut().println(text);
  }

  /** Prints rows in columns as wide as their widest cell. */
  public static void table(PrintWriter out, List<String> header, List<List<String>> rows) {
    List<List<String>> all = new ArrayList<>();
    all.add(header.stream().map(cell -> cell.toUpperCase(Locale.ROOT)).toList());
    all.addAll(rows);
    int columns = header.size();
    int[] widths = new int[columns];
    for (List<String> row : all) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    for (List<String> row : all) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        line.append(row.get(i));
        if (i < columns - 1) {
          line.append(" ".repeat(widths[i] - row.get(i).length() + 3));
        }
      }
      out.println(line.toString().stripTrailing());
    }
  }

  /** A size for people: {@code 6.2 MiB}. */
  public static String size(long bytes) {
    if (bytes < 1 << 20) {
      return String.format(Locale.ROOT, "%.1f KiB", bytes / 1024.0);
    }
    if (bytes < 1 << 30) {
      return String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1 << 20));
    }
    return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1 << 30));
  }

  /**
   * Whether a person is at a terminal. Without one there is no console since JDK 25, unlike in the
   * three versions before.
   */
  @SuppressWarnings("SystemConsoleNull")
  public static boolean isInteractive() {
    @Nullable Console console = System.console();
    return console != null && console.isTerminal();
  }
}
