package dev.cloister.coordinator.store;

import dev.cloister.coordinator.courtesy.Ceilings;
import dev.cloister.coordinator.courtesy.CourtesyPolicy;
import dev.cloister.coordinator.courtesy.CourtesyPolicy.Hours;
import dev.cloister.coordinator.courtesy.CourtesyPolicy.WhileUserPresent;
import dev.cloister.coordinator.courtesy.PolicyRecords;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What administrators said of when machines work. */
public final class SqlitePolicyRecords implements PolicyRecords {
  private final Database database;

  public SqlitePolicyRecords(Database database) {
    this.database = database;
  }

  @Override
  public Map<String, CourtesyPolicy> all() {
    return database
        .query(row -> Map.entry(row.getString("node"), policy(row)), "SELECT * FROM policies")
        .stream()
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  private static CourtesyPolicy policy(ResultSet row) throws SQLException {
    int notOnBattery = row.getInt("not_on_battery");
    boolean said = !row.wasNull();
    return new CourtesyPolicy(
        said ? Optional.of(notOnBattery != 0) : Optional.empty(),
        share(row, "foreign_cpu"),
        share(row, "foreign_gpu"),
        text(row, "while_user_present").map(WhileUserPresent::valueOf),
        text(row, "hours").map(Hours::parse),
        new Ceilings(bytes(row, "memory_bytes"), bytes(row, "disk_bytes")));
  }

  private static OptionalDouble share(ResultSet row, String column) throws SQLException {
    double share = row.getDouble(column);
    return row.wasNull() ? OptionalDouble.empty() : OptionalDouble.of(share);
  }

  private static OptionalLong bytes(ResultSet row, String column) throws SQLException {
    long bytes = row.getLong(column);
    return row.wasNull() ? OptionalLong.empty() : OptionalLong.of(bytes);
  }

  private static Optional<String> text(ResultSet row, String column) throws SQLException {
    return Optional.ofNullable(row.getString(column));
  }

  @Override
  public void put(String nodeId, CourtesyPolicy said) {
    database.update(
        "INSERT OR REPLACE INTO policies (node, not_on_battery, foreign_cpu, foreign_gpu,"
            + " while_user_present, hours, memory_bytes, disk_bytes)"
            + " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        nodeId,
        said.notOnBattery().map(yes -> yes ? 1 : 0).orElse(null),
        share(said.foreignCpu()),
        share(said.foreignGpu()),
        said.whileUserPresent().map(Enum::name).orElse(null),
        said.hours().map(Hours::toString).orElse(null),
        bytes(said.ceilings().memoryBytes()),
        bytes(said.ceilings().diskBytes()));
  }

  private static @Nullable Long bytes(OptionalLong bytes) {
    return bytes.isPresent() ? bytes.getAsLong() : null;
  }

  private static @Nullable Double share(OptionalDouble share) {
    return share.isPresent() ? share.getAsDouble() : null;
  }
}
