package dev.cloister.coordinator.store;

import dev.cloister.coordinator.fleet.Drain;
import dev.cloister.coordinator.fleet.NodeRecords;
import dev.cloister.coordinator.fleet.NodeSettings;
import dev.cloister.coordinator.fleet.WakeAddress;
import dev.cloister.coordinator.labels.Labels;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** What administrators said of nodes, and what is remembered of them. */
public final class SqliteNodeRecords implements NodeRecords {
  private final Database database;

  public SqliteNodeRecords(Database database) {
    this.database = database;
  }

  @Override
  public Map<String, NodeSettings> all() {
    return database
        .query(
            row -> Map.entry(row.getString("id"), settings(row)),
            "SELECT id, labels, drain_deadline, wake FROM nodes")
        .stream()
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  private static NodeSettings settings(ResultSet row) throws SQLException {
    long deadline = row.getLong("drain_deadline");
    boolean drained = !row.wasNull();
    return new NodeSettings(
        Labels.parse(row.getString("labels")),
        drained
            ? Optional.of(Drain.byAdministrator(Instant.ofEpochMilli(deadline)))
            : Optional.empty(),
        WakeAddress.parse(row.getString("wake")));
  }

  @Override
  public void put(String nodeId, NodeSettings settings) {
    database.update(
        "INSERT OR REPLACE INTO nodes (id, labels, drain_deadline, wake) VALUES (?, ?, ?, ?)",
        nodeId,
        settings.labels().toString(),
        settings.drain().map(drain -> drain.deadline().toEpochMilli()).orElse(null),
        WakeAddress.format(settings.wake()));
  }
}
