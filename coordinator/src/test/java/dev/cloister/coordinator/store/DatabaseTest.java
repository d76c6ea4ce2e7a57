package dev.cloister.coordinator.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.coordinator.catalog.ModelOptions;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.SQLiteConfig;

class DatabaseTest {
  private static final String INSERT =
      "INSERT INTO models (name, sha256, size_bytes, file, modified_at, created_at)"
          + " VALUES (?, 'x', 1, '/x', 0, 0)";

  @TempDir private Path directory;
  private Path file = Path.of("");

  @BeforeEach
  void name() {
    file = directory.resolve("cloister.db");
  }

  @Test
  void aNewDatabaseHasTheNewestSchema() {
    try (Database database = Database.open(file)) {
      assertThat(number(database, "PRAGMA user_version")).isEqualTo(10);
      assertThat(
              database.query(
                  row -> row.getString(1),
                  "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"))
          .containsExactly("api_keys", "join_tokens", "members", "models", "nodes", "policies");
    }
  }

  @Test
  void aModelOfTheFirstSchemaHasNoOptions() throws Exception {
    SQLiteConfig config = new SQLiteConfig();
    try (Connection old = config.createConnection("jdbc:sqlite:" + file);
        Statement statement = old.createStatement();
        InputStream script = Database.class.getResourceAsStream("0001-initial.sql")) {
      statement.executeUpdate(new String(script.readAllBytes(), UTF_8));
      statement.executeUpdate("INSERT INTO models VALUES ('old', 'x', 1, '/x', 0, 0)");
      statement.executeUpdate("PRAGMA user_version = 1");
    }
    try (Database database = Database.open(file)) {
      assertThat(new SqliteModelRecords(database).all())
          .singleElement()
          .satisfies(
              model -> {
                assertThat(model.name()).isEqualTo("old");
                assertThat(model.options()).isEqualTo(ModelOptions.NONE);
              });
    }
  }

  @Test
  void whatWasWrittenIsThereAfterReopening() {
    try (Database database = Database.open(file)) {
      insertModel(database, "kept");
    }
    try (Database database = Database.open(file)) {
      assertThat(names(database)).containsExactly("kept");
    }
  }

  @Test
  void aCommitReachesTheDisk() {
    try (Database database = Database.open(file)) {
      assertThat(database.first(row -> row.getString(1), "PRAGMA journal_mode")).hasValue("wal");
      int full = 2;
      assertThat(number(database, "PRAGMA synchronous")).isEqualTo(full);
      assertThat(number(database, "PRAGMA foreign_keys")).isEqualTo(1);
    }
  }

  @Test
  void aNewerSchemaIsRefusedInOneSentence() {
    try (Database database = Database.open(file)) {
      database.update("PRAGMA user_version = 99");
    }
    assertThatThrownBy(() -> Database.open(file))
        .isInstanceOf(StoreException.class)
        .hasMessage(
            "the database %s has schema version 99, this version of Cloister knows 10; start the"
                + " newer version it was written by",
            file);
  }

  @Test
  void aFileThatIsNoDatabaseIsRefusedAndLeftAlone() throws Exception {
    byte[] text =
        "this is a letter to my aunt, and no database at all. ".repeat(40).getBytes(UTF_8);
    Files.write(file, text);
    assertThatThrownBy(() -> Database.open(file))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("the database " + file + " cannot be used")
        .hasMessageContaining("not a database");
    assertThat(file).hasBinaryContent(text);
  }

  @Test
  void aDirectoryInPlaceOfTheFileIsRefused() throws Exception {
    Files.createDirectory(file);
    assertThatThrownBy(() -> Database.open(file))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining(file.toString());
  }

  @Test
  void aTransactionThatThrowsChangesNothing() {
    try (Database database = Database.open(file)) {
      assertThatThrownBy(
              () ->
                  database.transaction(
                      open -> {
                        Database.update(open, INSERT, "half");
                        throw new IllegalStateException("stop");
                      }))
          .hasMessage("stop");
      assertThat(names(database)).isEmpty();
      insertModel(database, "next");
      assertThat(names(database)).containsExactly("next");
    }
  }

  private static void insertModel(Database database, String name) {
    database.update(INSERT, name);
  }

  private static List<String> names(Database database) {
    return database.query(row -> row.getString(1), "SELECT name FROM models");
  }

  private static int number(Database database, String pragma) {
    return database.first(row -> row.getInt(1), pragma).orElseThrow();
  }
}
