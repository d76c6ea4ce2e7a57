package dev.cloister.coordinator.store;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteConfig.JournalMode;
import org.sqlite.SQLiteConfig.SynchronousMode;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * The SQLite database of a coordinator: one connection behind a lock. What is asked on every
 * request is answered from memory, so that nothing waits here but administration.
 *
 * <p>Thread-safe. A write that returned is on the disk ({@code synchronous=FULL}).
 */
public final class Database implements AutoCloseable {
  /** In order; the number in front is the schema version a script leads to. Never edit one. */
  private static final List<String> MIGRATIONS =
      List.of(
          "0001-initial.sql",
          "0002-model-options.sql",
          "0003-model-split.sql",
          "0004-split-force.sql",
          "0005-nodes.sql",
          "0006-labels.sql",
          "0007-wake.sql",
          "0008-retention.sql",
          "0009-key-weights.sql",
          "0010-policies.sql");

  private static final String DRIVER_DIRECTORY = "org.sqlite.tmpdir";

  private final Connection connection;
  private final ReentrantLock lock = new ReentrantLock();

  private Database(Connection connection) {
    this.connection = connection;
  }

  /** Work inside a transaction. */
  @FunctionalInterface
  interface Work<T> {
    T run(Connection connection) throws SQLException;
  }

  /** Reads one row. */
  @FunctionalInterface
  interface RowReader<T> {
    T read(ResultSet row) throws SQLException;
  }

  /**
   * Opens the database, makes it if need be, and migrates it to this version's schema.
   *
   * @throws StoreException if the file is no database, was written by a newer version or cannot be
   *     used; the message is one sentence
   */
  public static Database open(Path file) {
    SQLiteConfig config = new SQLiteConfig();
    config.setJournalMode(JournalMode.WAL);
    config.setSynchronous(SynchronousMode.FULL);
    config.enforceForeignKeys(true);
    config.setBusyTimeout(5_000);
    // The driver unpacks its native library; in a shared temporary directory a kill would leave it.
    Path directory = file.toAbsolutePath().getParent();
    if (directory != null && System.getProperty(DRIVER_DIRECTORY) == null) {
      System.setProperty(DRIVER_DIRECTORY, directory.toString());
    }
    Connection connection;
    try {
      connection = config.createConnection("jdbc:sqlite:" + file);
    } catch (SQLException e) {
      throw unusable(file, e);
    }
    Database database = new Database(connection);
    try {
      database.migrate(file);
      return database;
    } catch (SQLException e) {
      database.close();
      throw unusable(file, e);
    } catch (StoreException e) {
      database.close();
      throw e;
    }
  }

  private static StoreException unusable(Path file, SQLException e) {
    return new StoreException("the database " + file + " cannot be used: " + e.getMessage(), e);
  }

  private void migrate(Path file) throws SQLException {
    int version;
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("PRAGMA user_version")) {
      version = result.getInt(1);
    }
    if (version > MIGRATIONS.size()) {
      throw new StoreException(
          "the database "
              + file
              + " has schema version "
              + version
              + ", this version of Cloister knows "
              + MIGRATIONS.size()
              + "; start the newer version it was written by",
          null);
    }
    for (int next = version; next < MIGRATIONS.size(); next++) {
      String script = script(MIGRATIONS.get(next)) + "\nPRAGMA user_version = " + (next + 1) + ";";
      transaction(
          open -> {
            try (Statement statement = open.createStatement()) {
              // The driver runs every statement of the text in update mode.
              return statement.executeUpdate(script);
            }
          });
    }
  }

  private static String script(String name) {
    try (InputStream in = Database.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("missing resource " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs {@code work} in a transaction: committed if it returns, rolled back if it throws. */
  <T> T transaction(Work<T> work) {
    lock.lock();
    try {
      connection.setAutoCommit(false);
      try {
        T result = work.run(connection);
        connection.commit();
        return result;
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      } finally {
        connection.setAutoCommit(true);
      }
    } catch (SQLException e) {
      throw failed(e);
    } finally {
      lock.unlock();
    }
  }

  /** Runs one statement; returns the number of rows it changed. */
  int update(String sql, @Nullable Object... parameters) {
    return transaction(open -> update(open, sql, parameters));
  }

  static int update(Connection connection, String sql, @Nullable Object... parameters)
      throws SQLException {
    try (PreparedStatement statement = prepare(connection, sql, parameters)) {
      return statement.executeUpdate();
    }
  }

  /** Reads all rows. */
  <T> List<T> query(RowReader<T> reader, String sql, @Nullable Object... parameters) {
    lock.lock();
    try {
      return query(connection, reader, sql, parameters);
    } catch (SQLException e) {
      throw failed(e);
    } finally {
      lock.unlock();
    }
  }

  static <T> List<T> query(
      Connection connection, RowReader<T> reader, String sql, @Nullable Object... parameters)
      throws SQLException {
    try (PreparedStatement statement = prepare(connection, sql, parameters);
        ResultSet rows = statement.executeQuery()) {
      List<T> read = new ArrayList<>();
      while (rows.next()) {
        read.add(reader.read(rows));
      }
      return read;
    }
  }

  /** Reads the first row. */
  <T> Optional<T> first(RowReader<T> reader, String sql, @Nullable Object... parameters) {
    return query(reader, sql, parameters).stream().findFirst();
  }

  static boolean isConstraintViolation(Throwable failure) {
    return failure.getCause() instanceof SQLiteException cause
        && (cause.getResultCode() == SQLiteErrorCode.SQLITE_CONSTRAINT_UNIQUE
            || cause.getResultCode() == SQLiteErrorCode.SQLITE_CONSTRAINT_PRIMARYKEY);
  }

  private static PreparedStatement prepare(
      Connection connection, String sql, @Nullable Object... parameters) throws SQLException {
    PreparedStatement statement = connection.prepareStatement(sql);
    for (int i = 0; i < parameters.length; i++) {
      statement.setObject(i + 1, parameters[i]);
    }
    return statement;
  }

  private static StoreException failed(SQLException e) {
    return new StoreException("the coordinator's database failed: " + e.getMessage(), e);
  }

  @Override
  public void close() {
    lock.lock();
    try {
      connection.close();
    } catch (SQLException e) {
      throw failed(e);
    } finally {
      lock.unlock();
    }
  }
}
