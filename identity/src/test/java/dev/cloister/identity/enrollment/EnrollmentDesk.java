package dev.cloister.identity.enrollment;

import com.google.protobuf.ByteString;
import dev.cloister.identity.Identity;
import dev.cloister.identity.Role;
import dev.cloister.identity.authority.TestCluster;
import dev.cloister.identity.tls.ClusterTls;
import dev.cloister.identity.token.JoinToken;
import dev.cloister.proto.enrollment.v1.EnrollRequest;
import dev.cloister.proto.enrollment.v1.EnrollResponse;
import dev.cloister.proto.enrollment.v1.EnrollmentServiceGrpc;
import dev.cloister.proto.enrollment.v1.RenewRequest;
import dev.cloister.proto.enrollment.v1.RenewResponse;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** A coordinator that enrolls and renews one member, over real TLS. */
final class EnrollmentDesk extends EnrollmentServiceGrpc.EnrollmentServiceImplBase
    implements AutoCloseable {
  static final String MEMBER = "pc-7";

  final List<EnrollRequest> enrolled = new CopyOnWriteArrayList<>();
  volatile @Nullable Status failure;
  volatile String renewsAs = MEMBER;

  private final TestCluster cluster;
  private final Server server;

  EnrollmentDesk(TestCluster cluster, InetAddress address) throws IOException {
    this.cluster = cluster;
    Identity own = cluster.member(Role.COORDINATOR, "c1");
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(address, 0))
            .sslContext(ClusterTls.server(() -> own))
            .addService(this)
            .build()
            .start();
  }

  int port() {
    return server.getPort();
  }

  JoinToken token(String host) {
    return new JoinToken(
        host + ":" + port(), cluster.authority().rootPin(), "aaaaaaaaaa", new byte[32]);
  }

  @Override
  public void enroll(EnrollRequest request, StreamObserver<EnrollResponse> reply) {
    enrolled.add(request);
    if (failure != null) {
      reply.onError(failure.asRuntimeException());
      return;
    }
    reply.onNext(
        EnrollResponse.newBuilder()
            .addAllCertificateChain(issue(request.getSigningRequest(), MEMBER))
            .build());
    reply.onCompleted();
  }

  @Override
  public void renew(RenewRequest request, StreamObserver<RenewResponse> reply) {
    if (failure != null) {
      reply.onError(failure.asRuntimeException());
      return;
    }
    reply.onNext(
        RenewResponse.newBuilder()
            .addAllCertificateChain(issue(request.getSigningRequest(), renewsAs))
            .build());
    reply.onCompleted();
  }

  private List<ByteString> issue(ByteString request, String id) {
    return cluster
        .authority()
        .issue(request.toByteArray(), Role.AGENT, id, TestCluster.DAY, List.of())
        .stream()
        .map(EnrollmentDesk::encode)
        .toList();
  }

  private static ByteString encode(X509Certificate certificate) {
    try {
      return ByteString.copyFrom(certificate.getEncoded());
    } catch (CertificateEncodingException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    server.shutdownNow();
  }
}
