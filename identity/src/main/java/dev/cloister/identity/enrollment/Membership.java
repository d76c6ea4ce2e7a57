package dev.cloister.identity.enrollment;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import dev.cloister.identity.Identity;
import dev.cloister.identity.IdentityStore;
import dev.cloister.identity.InvalidIdentityException;
import dev.cloister.identity.MemberKey;
import dev.cloister.identity.PrivateFiles;
import dev.cloister.identity.RenewableIdentity;
import dev.cloister.identity.Role;
import dev.cloister.identity.enrollment.EnrollmentException.Reason;
import dev.cloister.identity.tls.ClusterChannel;
import dev.cloister.identity.tls.ClusterTls;
import dev.cloister.identity.tls.PinMismatchException;
import dev.cloister.identity.token.JoinToken;
import dev.cloister.proto.enrollment.v1.EnrollRequest;
import dev.cloister.proto.enrollment.v1.EnrollmentServiceGrpc;
import dev.cloister.proto.enrollment.v1.EnrollmentServiceGrpc.EnrollmentServiceBlockingStub;
import dev.cloister.proto.enrollment.v1.RenewRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A place in a cluster: an identity, and where the coordinator is. Kept in one directory, {@code
 * identity.pem} and {@code coordinator}, both private.
 *
 * <p>Thread-safe.
 */
public final class Membership {
  private static final long CALL_TIMEOUT_SECONDS = 10;

  private final Path directory;
  private final String coordinator;
  private final RenewableIdentity identity;

  private Membership(Path directory, String coordinator, Identity identity) {
    this.directory = directory;
    this.coordinator = coordinator;
    this.identity = new RenewableIdentity(identity);
  }

  /**
   * Reads the membership kept in a directory; empty if there is none.
   *
   * @throws dev.cloister.identity.PrivateFileException if a file is damaged or open to others
   */
  public static Optional<Membership> load(Path directory) {
    Path address = addressFile(directory);
    return new IdentityStore(directory)
        .load()
        .filter(identity -> Files.exists(address))
        .map(
            identity ->
                new Membership(
                    directory, new String(PrivateFiles.read(address), UTF_8).strip(), identity));
  }

  /** Keeps a membership in a directory, in place of any other. */
  public static Membership save(Path directory, String coordinator, Identity identity) {
    Path address = addressFile(directory);
    try {
      // Without its address a membership does not count: a kill from here on leaves none, never one
      // identity with the address of another.
      Files.deleteIfExists(address);
    } catch (IOException e) {
      throw new UncheckedIOException("file cannot be removed: " + address, e);
    }
    new IdentityStore(directory).save(identity);
    PrivateFiles.write(address, (coordinator + "\n").getBytes(UTF_8));
    return new Membership(directory, coordinator, identity);
  }

  /**
   * Joins a cluster: makes a key, has it certified, and keeps the membership in a directory.
   *
   * @param name what people are to call the member
   * @throws EnrollmentException if the coordinator is not the token's, does not answer or refuses
   */
  public static Membership join(JoinToken token, Path directory, String name) {
    return join(token, directory, name, MemberKey.generate());
  }

  /**
   * The same with a key made before, while the token was still awaited.
   *
   * @param keys of {@link MemberKey#generate}, used for nothing else
   */
  public static Membership join(JoinToken token, Path directory, String name, KeyPair keys) {
    PrivateFiles.createDirectory(directory);
    List<ByteString> chain =
        call(
            token.address(),
            ClusterTls.enrolling(token.rootPin()),
            stub ->
                stub.enroll(
                        EnrollRequest.newBuilder()
                            .setTokenId(token.id())
                            .setTokenSecret(ByteString.copyFrom(token.secret()))
                            .setSigningRequest(ByteString.copyFrom(MemberKey.signingRequest(keys)))
                            .setName(name)
                            .build())
                    .getCertificateChainList());
    return save(directory, token.address(), identity(keys, chain));
  }

  /**
   * Renews the certificate if half of its lifetime is over. The old one goes on working until it
   * expires, so a failure here is no emergency yet.
   *
   * @return whether it was renewed
   * @throws EnrollmentException if the certificate has expired, or the coordinator does not answer
   *     or refuses
   */
  public synchronized boolean renewIfDue(Instant now) {
    Identity old = identity.current();
    Instant begin = old.leaf().getNotBefore().toInstant();
    Instant end = old.leaf().getNotAfter().toInstant();
    if (now.isAfter(end)) {
      throw new EnrollmentException(
          Reason.REFUSED,
          "the certificate of this member expired at " + end + "; join again with a new token",
          null);
    }
    if (now.isBefore(begin.plus(Duration.between(begin, end).dividedBy(2)))) {
      return false;
    }
    KeyPair keys = MemberKey.generate();
    List<ByteString> chain =
        call(
            coordinator,
            ClusterTls.client(identity, Role.COORDINATOR),
            stub ->
                stub.renew(
                        RenewRequest.newBuilder()
                            .setSigningRequest(ByteString.copyFrom(MemberKey.signingRequest(keys)))
                            .build())
                    .getCertificateChainList());
    Identity renewed = identity(keys, chain);
    if (!renewed.id().equals(old.id())) {
      throw new InvalidIdentityException(
          "renewed certificate names " + renewed.id() + " (expected: " + old.id() + ")");
    }
    new IdentityStore(directory).save(renewed);
    identity.set(renewed);
    return true;
  }

  /** Where the coordinator is: {@code host:port}. */
  public String coordinator() {
    return coordinator;
  }

  /** The identity, always the newest. */
  public RenewableIdentity identity() {
    return identity;
  }

  private static Path addressFile(Path directory) {
    return directory.resolve("coordinator");
  }

  private static Identity identity(KeyPair keys, List<ByteString> chain) {
    return Identity.of(keys.getPrivate(), chain.stream().map(ByteString::toByteArray).toList());
  }

  private static <T> T call(
      String address, SslContext tls, Function<EnrollmentServiceBlockingStub, T> method) {
    ManagedChannel channel;
    try {
      channel = ClusterChannel.to(address, tls).build();
    } catch (IllegalArgumentException e) {
      // gRPC refuses names that DNS does not allow, such as those with an underscore.
      throw new EnrollmentException(
          Reason.UNREACHABLE,
          address + " is no address that can be dialled; use a DNS name or an IP address",
          e);
    }
    try {
      return method.apply(
          EnrollmentServiceGrpc.newBlockingStub(channel)
              .withDeadlineAfter(CALL_TIMEOUT_SECONDS, TimeUnit.SECONDS));
    } catch (StatusRuntimeException e) {
      throw failure(address, e);
    } finally {
      channel.shutdownNow();
    }
  }

  private static EnrollmentException failure(String address, StatusRuntimeException e) {
    if (PinMismatchException.isCauseOf(e)) {
      return new EnrollmentException(
          Reason.WRONG_COORDINATOR,
          "the coordinator at "
              + address
              + " is not the one this join token was made for; check the address, or create a token"
              + " on the right coordinator with: cloister token create",
          e);
    }
    if (isCertificateRefused(e)) {
      return new EnrollmentException(
          Reason.WRONG_COORDINATOR,
          "who answers at "
              + address
              + " is not the coordinator of this cluster; check the address",
          e);
    }
    Status status = e.getStatus();
    return switch (status.getCode()) {
      case PERMISSION_DENIED, INVALID_ARGUMENT, UNAUTHENTICATED ->
          new EnrollmentException(Reason.REFUSED, String.valueOf(status.getDescription()), e);
      case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED ->
          new EnrollmentException(
              Reason.UNREACHABLE,
              "the coordinator at "
                  + address
                  + " does not answer; check that it runs and that this machine can reach it",
              e);
      default ->
          new EnrollmentException(
              Reason.UNREACHABLE,
              "the coordinator at " + address + " failed with " + status.getCode() + "; try again",
              e);
    };
  }

  private static boolean isCertificateRefused(Throwable failure) {
    for (@Nullable Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof CertificateException) {
        return true;
      }
    }
    return false;
  }
}
