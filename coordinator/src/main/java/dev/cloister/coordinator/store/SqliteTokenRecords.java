package dev.cloister.coordinator.store;

import dev.cloister.coordinator.identity.Member;
import dev.cloister.coordinator.identity.MemberRecords;
import dev.cloister.coordinator.identity.StoredToken;
import dev.cloister.coordinator.identity.TokenRecords;
import dev.cloister.identity.Role;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Join tokens and the members they admitted; one class, since redeeming touches both at once. */
public final class SqliteTokenRecords implements TokenRecords, MemberRecords {
  private static final String TOKEN_COLUMNS =
      "id, role, created_at, expires_at, uses_left, revoked";

  private final Database database;

  public SqliteTokenRecords(Database database) {
    this.database = database;
  }

  @Override
  public void add(StoredToken token, byte[] secretHash) {
    database.update(
        "INSERT INTO join_tokens (id, secret_hash, role, created_at, expires_at, uses_left)"
            + " VALUES (?, ?, ?, ?, ?, ?)",
        token.id(),
        secretHash,
        token.role().segment(),
        token.createdAt().toEpochMilli(),
        token.expiresAt().toEpochMilli(),
        token.usesLeft());
  }

  @Override
  public Optional<StoredToken> find(String id) {
    return database.first(
        SqliteTokenRecords::token,
        "SELECT " + TOKEN_COLUMNS + " FROM join_tokens WHERE id = ?",
        id);
  }

  @Override
  public List<StoredToken> all() {
    return database.query(
        SqliteTokenRecords::token,
        "SELECT " + TOKEN_COLUMNS + " FROM join_tokens ORDER BY created_at DESC, id");
  }

  @Override
  public boolean revoke(String id) {
    return database.update("UPDATE join_tokens SET revoked = 1 WHERE id = ?", id) == 1;
  }

  @Override
  public Optional<Member> redeem(
      String tokenId, byte[] secretHash, String memberId, String name, Instant now) {
    return database.transaction(
        open -> {
          int taken =
              Database.update(
                  open,
                  "UPDATE join_tokens SET uses_left = uses_left - 1 WHERE id = ?"
                      + " AND secret_hash = ? AND revoked = 0 AND expires_at > ? AND uses_left > 0",
                  tokenId,
                  secretHash,
                  now.toEpochMilli());
          if (taken == 0) {
            return Optional.empty();
          }
          Role role =
              Database.query(
                      open,
                      row -> Role.parse(row.getString(1)),
                      "SELECT role FROM join_tokens WHERE id = ?",
                      tokenId)
                  .getFirst();
          Member member = new Member(memberId, role, freeName(open, role, name), now);
          Database.update(
              open,
              "INSERT INTO members (id, role, name, joined_at) VALUES (?, ?, ?, ?)",
              member.id(),
              role.segment(),
              member.name(),
              now.toEpochMilli());
          return Optional.of(member);
        });
  }

  private static String freeName(Connection open, Role role, String wanted) throws SQLException {
    List<String> taken =
        Database.query(
            open,
            row -> row.getString(1),
            "SELECT name FROM members WHERE role = ?",
            role.segment());
    String name = wanted;
    for (int number = 2; taken.contains(name); number++) {
      name = wanted + "-" + number;
    }
    return name;
  }

  @Override
  public boolean isMember(String memberId, Role role) {
    return database
        .first(
            row -> row.getInt(1),
            "SELECT 1 FROM members WHERE id = ? AND role = ?",
            memberId,
            role.segment())
        .isPresent();
  }

  @Override
  public List<Member> withRole(Role role) {
    return database.query(
        row ->
            new Member(
                row.getString("id"),
                role,
                row.getString("name"),
                Instant.ofEpochMilli(row.getLong("joined_at"))),
        "SELECT id, name, joined_at FROM members WHERE role = ? ORDER BY name",
        role.segment());
  }

  private static StoredToken token(ResultSet row) throws SQLException {
    return new StoredToken(
        row.getString("id"),
        Role.parse(row.getString("role")),
        Instant.ofEpochMilli(row.getLong("created_at")),
        Instant.ofEpochMilli(row.getLong("expires_at")),
        row.getInt("uses_left"),
        row.getInt("revoked") != 0);
  }
}
