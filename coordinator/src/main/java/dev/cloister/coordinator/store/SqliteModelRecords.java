package dev.cloister.coordinator.store;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.catalog.ModelOptions.FlashAttention;
import dev.cloister.coordinator.catalog.ModelOptions.KvPlace;
import dev.cloister.coordinator.catalog.ModelOptions.KvType;
import dev.cloister.coordinator.catalog.ModelRecords;
import dev.cloister.coordinator.catalog.Retention;
import dev.cloister.coordinator.labels.Labels;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** The catalog. */
public final class SqliteModelRecords implements ModelRecords {
  private static final String COLUMNS =
      "name, sha256, size_bytes, file, modified_at, created_at, context_tokens, slots, threads,"
          + " batch_threads, batch_tokens, gpu_layers, main_gpu, kv_type, kv_place,"
          + " flash_attention, split, split_force, required_labels, pinned, keep_alive_millis";

  private final Database database;

  public SqliteModelRecords(Database database) {
    this.database = database;
  }

  @Override
  public List<Model> all() {
    return database.query(
        SqliteModelRecords::model, "SELECT " + COLUMNS + " FROM models ORDER BY name");
  }

  private static Model model(ResultSet row) throws SQLException {
    return new Model(
        row.getString("name"),
        row.getString("sha256"),
        row.getLong("size_bytes"),
        Path.of(row.getString("file")),
        Instant.ofEpochMilli(row.getLong("modified_at")),
        Instant.ofEpochMilli(row.getLong("created_at")),
        new ModelOptions(
            number(row, "context_tokens"),
            number(row, "slots"),
            number(row, "threads"),
            number(row, "batch_threads"),
            number(row, "batch_tokens"),
            number(row, "gpu_layers"),
            number(row, "main_gpu"),
            choice(row, "kv_type", KvType.class),
            choice(row, "kv_place", KvPlace.class),
            choice(row, "flash_attention", FlashAttention.class),
            number(row, "split"),
            row.getBoolean("split_force")),
        Labels.parse(row.getString("required_labels")),
        retention(row));
  }

  private static Retention retention(ResultSet row) throws SQLException {
    boolean pinned = row.getBoolean("pinned");
    long millis = row.getLong("keep_alive_millis");
    return new Retention(
        pinned, row.wasNull() ? Optional.empty() : Optional.of(Duration.ofMillis(millis)));
  }

  private static OptionalInt number(ResultSet row, String column) throws SQLException {
    int value = row.getInt(column);
    return row.wasNull() ? OptionalInt.empty() : OptionalInt.of(value);
  }

  private static <E extends Enum<E>> Optional<E> choice(
      ResultSet row, String column, Class<E> choices) throws SQLException {
    return Optional.ofNullable(row.getString(column)).map(name -> Enum.valueOf(choices, name));
  }

  @Override
  public void put(Model model) {
    ModelOptions options = model.options();
    database.update(
        "INSERT OR REPLACE INTO models ("
            + COLUMNS
            + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        model.name(),
        model.sha256(),
        model.sizeBytes(),
        model.file().toString(),
        model.modifiedAt().toEpochMilli(),
        model.createdAt().toEpochMilli(),
        orNull(options.contextTokens()),
        orNull(options.slots()),
        orNull(options.threads()),
        orNull(options.batchThreads()),
        orNull(options.batchTokens()),
        orNull(options.gpuLayers()),
        orNull(options.mainGpu()),
        orNull(options.kvType()),
        orNull(options.kvPlace()),
        orNull(options.flashAttention()),
        orNull(options.split()),
        options.force(),
        model.required().toString(),
        model.retention().pinned(),
        model.retention().keepAlive().map(Duration::toMillis).orElse(null));
  }

  private static @Nullable Integer orNull(OptionalInt value) {
    return value.isPresent() ? value.getAsInt() : null;
  }

  private static @Nullable String orNull(Optional<? extends Enum<?>> value) {
    return value.isPresent() ? value.get().name() : null;
  }
}
