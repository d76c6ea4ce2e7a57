package dev.cloister.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Rows as a table for people and as JSON for programs. */
public final class Report {
  private Report() {}

  /** Prints a table. */
  public static void print(PrintWriter out, List<Row> rows) {
    out.println("| What | Median | Least | Most | Target |");
    out.println("|---|---|---|---|---|");
    for (Row row : rows) {
      out.println(
          String.format(
              Locale.ROOT,
              "| %s | %.2f %s | %.2f | %.2f | %s |",
              row.id(),
              row.value(),
              row.unit(),
              row.least(),
              row.most(),
              target(row)));
    }
  }

  private static String target(Row row) {
    return Double.isNaN(row.target())
        ? "-"
        : String.format(Locale.ROOT, "%.2f%s", row.target(), row.reached() ? "" : " (missed)");
  }

  /**
   * Writes a file.
   *
   * @throws IOException if it cannot be written
   */
  public static void write(Path file, String bench, String command, List<Row> rows)
      throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode root = mapper.createObjectNode();
    root.put("bench", bench);
    root.put("command", command);
    root.putObject("machine")
        .put("os", System.getProperty("os.name"))
        .put("arch", System.getProperty("os.arch"))
        .put("processors", Runtime.getRuntime().availableProcessors())
        .put("java", Runtime.version().toString());
    var array = root.putArray("rows");
    for (Row row : rows) {
      ObjectNode node = array.addObject();
      node.put("id", row.id())
          .put("value", row.value())
          .put("unit", row.unit())
          .put("better", row.better());
      if (!Double.isNaN(row.target())) {
        node.put("target", row.target());
      }
      row.runs().forEach(node.putArray("runs")::add);
    }
    mapper.writerWithDefaultPrettyPrinter().writeValue(file.toFile(), root);
  }
}
