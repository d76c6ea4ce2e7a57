package dev.cloister.coordinator.catalog;

import dev.cloister.coordinator.labels.Labels;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The models the cluster serves. Thread-safe; reads touch memory only, since every request asks
 * whether its model exists.
 */
public final class Catalog {
  private static final Logger log = LoggerFactory.getLogger(Catalog.class);

  private final ModelRecords records;
  private final InstantSource clock;
  private final List<CatalogListener> listeners = new CopyOnWriteArrayList<>();
  private volatile Map<String, Model> byName;

  public Catalog(ModelRecords records, InstantSource clock) {
    this.records = records;
    this.clock = clock;
    Map<String, Model> known = new TreeMap<>();
    records.all().forEach(model -> known.put(model.name(), model));
    this.byName = known;
  }

  /** Has {@code listener} told of every change from now on. */
  public void addListener(CatalogListener listener) {
    listeners.add(listener);
  }

  /** All models, by name. */
  public List<Model> models() {
    return List.copyOf(byName.values());
  }

  public Optional<Model> find(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /**
   * Adds a model file under a name, or points the name to another file. The file stays where it is
   * and is hashed, unless the same file of the same size and time was hashed before. The options of
   * a name stay, what it requires of nodes, and how long it stays loaded.
   *
   * @throws IOException if the file cannot be read
   */
  public synchronized Model add(String name, Path path) throws IOException {
    Path file = path.toRealPath();
    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
    if (!attributes.isRegularFile()) {
      throw new IOException(file + " is not a file");
    }
    Instant modifiedAt = attributes.lastModifiedTime().toInstant().truncatedTo(ChronoUnit.MILLIS);
    Optional<Model> known =
        find(name)
            .filter(model -> model.file().equals(file))
            .filter(model -> model.sizeBytes() == attributes.size())
            .filter(model -> model.modifiedAt().equals(modifiedAt));
    if (known.isPresent()) {
      return known.get();
    }
    Model model =
        new Model(
            name,
            sha256(file),
            attributes.size(),
            file,
            modifiedAt,
            clock.instant().truncatedTo(ChronoUnit.MILLIS),
            find(name).map(Model::options).orElse(ModelOptions.NONE),
            find(name).map(Model::required).orElse(Labels.NONE),
            find(name).map(Model::retention).orElse(Retention.WHILE_THERE_IS_ROOM));
    put(model);
    log.info("model {} is {} ({} bytes)", name, model.sha256(), model.sizeBytes());
    return model;
  }

  /**
   * Sets how a model is run, in place of what was set before.
   *
   * @return the model, or nothing if there is none of this name
   */
  public synchronized Optional<Model> configure(String name, ModelOptions options) {
    Optional<Model> model = find(name).map(known -> known.with(options));
    model.ifPresent(
        changed -> {
          put(changed);
          log.info("model {} is run with {}", name, options);
          listeners.forEach(listener -> listener.configured(changed));
        });
    return model;
  }

  /**
   * Changes which labels a node must have to have any of a model and to see requests for it.
   * Options do not touch it: what is confidential stays so until somebody says otherwise.
   *
   * @return the model, or nothing if there is none of this name
   * @throws IllegalArgumentException if a label is malformed or there are too many; the message is
   *     one sentence
   */
  public synchronized Optional<Model> require(
      String name, Map<String, String> set, Collection<String> removed) {
    Optional<Model> model =
        find(name).map(known -> known.requiring(known.required().with(set, removed)));
    model.ifPresent(
        changed -> {
          put(changed);
          log.info("model {} requires the labels [{}]", name, changed.required());
          listeners.forEach(listener -> listener.configured(changed));
        });
    return model;
  }

  /**
   * Sets how long a model stays loaded. Options do not touch it.
   *
   * @return the model, or nothing if there is none of this name
   */
  public synchronized Optional<Model> retain(String name, Retention retention) {
    Optional<Model> model = find(name).map(known -> known.retained(retention));
    model.ifPresent(
        changed -> {
          put(changed);
          log.info("model {} stays loaded: {}", name, retention);
          listeners.forEach(listener -> listener.configured(changed));
        });
    return model;
  }

  private void put(Model model) {
    records.put(model);
    Map<String, Model> next = new TreeMap<>(byName);
    next.put(model.name(), model);
    byName = next;
  }

  private static String sha256(Path file) throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] buffer = new byte[1 << 18];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        digest.update(buffer, 0, read);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
