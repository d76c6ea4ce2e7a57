package dev.cloister.coordinator.store;

import dev.cloister.coordinator.identity.ApiKey;
import dev.cloister.coordinator.identity.ApiKeyRecords;
import dev.cloister.coordinator.labels.Labels;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** API keys. */
public final class SqliteApiKeyRecords implements ApiKeyRecords {
  private static final String COLUMNS = "id, name, created_at, revoked, required_labels, weight";

  private final Database database;

  public SqliteApiKeyRecords(Database database) {
    this.database = database;
  }

  @Override
  public boolean add(ApiKey key, byte[] hash) {
    try {
      database.update(
          "INSERT INTO api_keys (id, name, hash, created_at, required_labels, weight)"
              + " VALUES (?, ?, ?, ?, ?, ?)",
          key.id(),
          key.name(),
          hash,
          key.createdAt().toEpochMilli(),
          key.required().toString(),
          key.weight());
      return true;
    } catch (StoreException e) {
      if (Database.isConstraintViolation(e)) {
        return false;
      }
      throw e;
    }
  }

  @Override
  public List<ApiKey> all() {
    return database.query(
        SqliteApiKeyRecords::key,
        "SELECT " + COLUMNS + " FROM api_keys ORDER BY created_at DESC, id");
  }

  @Override
  public Optional<ApiKey> findByHash(byte[] hash) {
    return database.first(
        SqliteApiKeyRecords::key, "SELECT " + COLUMNS + " FROM api_keys WHERE hash = ?", hash);
  }

  @Override
  public boolean weigh(String id, double weight) {
    return database.update("UPDATE api_keys SET weight = ? WHERE id = ?", weight, id) == 1;
  }

  @Override
  public boolean revoke(String id) {
    return database.update("UPDATE api_keys SET revoked = 1 WHERE id = ?", id) == 1;
  }

  private static ApiKey key(ResultSet row) throws SQLException {
    return new ApiKey(
        row.getString("id"),
        row.getString("name"),
        Instant.ofEpochMilli(row.getLong("created_at")),
        row.getInt("revoked") != 0,
        Labels.parse(row.getString("required_labels")),
        row.getDouble("weight"));
  }
}
