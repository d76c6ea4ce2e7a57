package dev.cloister.coordinator.store;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelRecords;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/** The catalog. */
public final class SqliteModelRecords implements ModelRecords {
  private final Database database;

  public SqliteModelRecords(Database database) {
    this.database = database;
  }

  @Override
  public List<Model> all() {
    return database.query(
        row ->
            new Model(
                row.getString("name"),
                row.getString("sha256"),
                row.getLong("size_bytes"),
                Path.of(row.getString("file")),
                Instant.ofEpochMilli(row.getLong("modified_at")),
                Instant.ofEpochMilli(row.getLong("created_at"))),
        "SELECT name, sha256, size_bytes, file, modified_at, created_at FROM models ORDER BY name");
  }

  @Override
  public void put(Model model) {
    database.update(
        "INSERT OR REPLACE INTO models (name, sha256, size_bytes, file, modified_at, created_at)"
            + " VALUES (?, ?, ?, ?, ?, ?)",
        model.name(),
        model.sha256(),
        model.sizeBytes(),
        model.file().toString(),
        model.modifiedAt().toEpochMilli(),
        model.createdAt().toEpochMilli());
  }
}
