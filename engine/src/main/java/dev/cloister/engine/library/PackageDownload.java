package dev.cloister.engine.library;

import dev.cloister.engine.library.LibraryInstallException.Reason;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import javax.net.ssl.SSLException;

/**
 * Fetches packed files and checks them on the way. Proxies are the JVM's: {@code
 * -Dhttps.proxyHost}. Redirects are followed, except from https to http; where they lead matters
 * little, since the digest decides.
 */
final class PackageDownload implements AutoCloseable {
  private final URI registry;
  private final Duration longestSilence;
  private final HttpClient http;
  private volatile boolean closed;

  /**
   * @param longestSilence how long the registry may take to answer, and to go on with the body
   */
  PackageDownload(URI registry, Duration connectTimeout, Duration longestSilence) {
    this.registry = registry;
    this.longestSilence = longestSilence;
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .connectTimeout(connectTimeout)
            .build();
  }

  /**
   * @param file where the packed file goes; whole and checked when this returns
   * @param received called with the number of bytes received so far
   * @throws IOException if the file cannot be written
   */
  void fetch(NpmPackage wanted, Path file, LongConsumer received)
      throws LibraryInstallException, IOException {
    URI address =
        URI.create(registry + (registry.getPath().endsWith("/") ? "" : "/")).resolve(wanted.path());
    try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW)) {
      Body body = new Body(wanted, out, received);
      HttpResponse<Void> response =
          await(
              http.sendAsync(HttpRequest.newBuilder(address).build(), info -> body.from(info)),
              body,
              address);
      switch (response.statusCode()) {
        case 200 -> body.check(address);
        case 404 ->
            throw new LibraryInstallException(
                Reason.NOT_FOUND,
                "the registry %s does not have %s %s; name another one with --registry"
                    .formatted(registry, wanted.name(), wanted.version()),
                null);
        default ->
            throw new LibraryInstallException(
                Reason.UNREACHABLE,
                "%s answered with status %d (expected: 200)"
                    .formatted(address, response.statusCode()),
                null);
      }
    }
  }

  /** Has a fetch that is under way, and any later one, fail. */
  @Override
  public void close() {
    closed = true;
    http.shutdownNow();
  }

  /** HttpRequest's own timeout ends at the headers; a body that stops would never end. */
  private <T> T await(CompletableFuture<T> answer, Body body, URI address)
      throws LibraryInstallException, IOException {
    try {
      while (true) {
        long before = body.count;
        try {
          return answer.get(longestSilence.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
          if (body.count == before) {
            throw new LibraryInstallException(
                Reason.TIMED_OUT, "%s does not answer in time; try again".formatted(address), e);
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LibraryInstallException(Reason.INTERRUPTED, "interrupted", e);
    } catch (ExecutionException e) {
      throw failed(address, e.getCause() == null ? e : e.getCause());
    } finally {
      answer.cancel(true);
    }
  }

  private LibraryInstallException failed(URI address, Throwable cause) throws IOException {
    if (closed) {
      return new LibraryInstallException(Reason.INTERRUPTED, "interrupted", cause);
    }
    return switch (cause) {
      case UncheckedIOException disk when disk.getCause() != null -> throw disk.getCause();
      case RefusedException refused ->
          new LibraryInstallException(
              Reason.REFUSED, String.valueOf(refused.getMessage()), refused);
      case HttpTimeoutException timeout ->
          new LibraryInstallException(
              Reason.TIMED_OUT, "%s does not answer in time; try again".formatted(address), cause);
      case ConnectException unreachable ->
          new LibraryInstallException(
              Reason.UNREACHABLE,
              "the registry %s cannot be reached%s; name one that can with --registry"
                  .formatted(registry, reason(unreachable)),
              cause);
      case SSLException untrusted ->
          new LibraryInstallException(
              Reason.UNREACHABLE,
              "no secure connection to the registry %s: %s"
                  .formatted(registry, untrusted.getMessage()),
              cause);
      default ->
          new LibraryInstallException(
              Reason.UNREACHABLE,
              "%s broke off: %s; try again".formatted(address, cause.getMessage()),
              cause);
    };
  }

  private String reason(ConnectException unreachable) {
    for (Throwable cause = unreachable; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnresolvedAddressException) {
        return ": unknown host " + registry.getHost();
      }
    }
    return unreachable.getMessage() == null ? "" : ": " + unreachable.getMessage();
  }

  /** What comes is not what is pinned. */
  private static final class RefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    RefusedException(NpmPackage wanted, String what) {
      super(
          "%s %s from this registry %s; nothing was installed"
              .formatted(wanted.name(), wanted.version(), what));
    }
  }

  /** Written by one thread of the client after the other. */
  private static final class Body implements Consumer<Optional<byte[]>> {
    private final NpmPackage wanted;
    private final OutputStream out;
    private final LongConsumer received;
    private final MessageDigest digest = sha512();
    private volatile long count;

    Body(NpmPackage wanted, OutputStream out, LongConsumer received) {
      this.wanted = wanted;
      this.out = out;
      this.received = received;
    }

    BodySubscriber<Void> from(HttpResponse.ResponseInfo info) {
      return info.statusCode() == 200
          ? BodySubscribers.ofByteArrayConsumer(this)
          : BodySubscribers.discarding();
    }

    @Override
    public void accept(Optional<byte[]> piece) {
      if (piece.isEmpty()) {
        return;
      }
      byte[] bytes = piece.get();
      long sum = count + bytes.length;
      if (sum > wanted.packedBytes()) {
        throw new RefusedException(
            wanted, "is larger than the pinned " + wanted.packedBytes() + " bytes");
      }
      digest.update(bytes);
      try {
        out.write(bytes);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      count = sum;
      received.accept(sum);
    }

    void check(URI address) throws LibraryInstallException {
      if (count < wanted.packedBytes()) {
        throw new LibraryInstallException(
            Reason.UNREACHABLE,
            "%s broke off after %d of %d bytes; try again"
                .formatted(address, count, wanted.packedBytes()),
            null);
      }
      String found = "sha512-" + Base64.getEncoder().encodeToString(digest.digest());
      if (!found.equals(wanted.integrity())) {
        RefusedException refused =
            new RefusedException(
                wanted,
                "does not have the pinned digest (%s, expected: %s)"
                    .formatted(found, wanted.integrity()));
        throw new LibraryInstallException(
            Reason.REFUSED, String.valueOf(refused.getMessage()), refused);
      }
    }

    private static MessageDigest sha512() {
      try {
        return MessageDigest.getInstance("SHA-512");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("every Java platform has SHA-512", e);
      }
    }
  }
}
