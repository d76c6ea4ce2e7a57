package dev.cloister.engine.server;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;

/**
 * What stands in for a Unix domain socket: a file, readable by this user alone, that names a port
 * of the loopback interface and the secret to call it with. One line: {@value #MARK}, the port, the
 * secret. Thread-safe.
 */
final class LoopbackFile implements ServerInterceptor {
  private static final String MARK = "cloister-engine-loopback";
  private static final Metadata.Key<String> SECRET =
      Metadata.Key.of("cloister-engine-secret", Metadata.ASCII_STRING_MARSHALLER);
  private static final int SECRET_BYTES = 32;

  private final Path file;
  private final String secret;

  LoopbackFile(Path file) {
    this.file = file;
    byte[] bytes = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(bytes);
    this.secret = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /** Whether a process left such a file there. */
  static boolean isAt(Path path) throws IOException {
    return Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)
        && Files.size(path) < 1024
        && Files.readString(path, StandardCharsets.ISO_8859_1).startsWith(MARK + " ");
  }

  /** Appears whole: who waits for the file reads all of it. */
  void write(int port) throws IOException {
    Path directory = file.toAbsolutePath().getParent();
    // Readable by this user alone, where the file system knows that.
    Path whole = Files.createTempFile(directory, "engine", ".tmp");
    try {
      Files.writeString(whole, "%s %d %s\n".formatted(MARK, port, secret));
      Files.move(whole, file, ATOMIC_MOVE, REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(whole);
    }
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    String given = headers.get(SECRET);
    if (given == null
        || !MessageDigest.isEqual(
            given.getBytes(StandardCharsets.US_ASCII),
            secret.getBytes(StandardCharsets.US_ASCII))) {
      call.close(
          Status.UNAUTHENTICATED.withDescription("the engine's secret is missing or wrong"),
          new Metadata());
      return new ServerCall.Listener<>() {};
    }
    return next.startCall(call, headers);
  }
}
