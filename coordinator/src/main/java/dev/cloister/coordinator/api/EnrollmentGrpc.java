package dev.cloister.coordinator.api;

import com.google.protobuf.ByteString;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.identity.Admission;
import dev.cloister.coordinator.identity.AdmissionRefusedException;
import dev.cloister.identity.SpiffeId;
import dev.cloister.identity.authority.InvalidSigningRequestException;
import dev.cloister.identity.ticket.KeyHash;
import dev.cloister.proto.enrollment.v1.EnrollRequest;
import dev.cloister.proto.enrollment.v1.EnrollResponse;
import dev.cloister.proto.enrollment.v1.EnrollmentServiceGrpc.EnrollmentServiceImplBase;
import dev.cloister.proto.enrollment.v1.RenewRequest;
import dev.cloister.proto.enrollment.v1.RenewResponse;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.function.Supplier;

/** Join tokens in, certificates out. */
final class EnrollmentGrpc extends EnrollmentServiceImplBase {
  private final Admission admission;
  private final Fleet fleet;

  EnrollmentGrpc(Admission admission, Fleet fleet) {
    this.admission = admission;
    this.fleet = fleet;
  }

  @Override
  public void enroll(EnrollRequest request, StreamObserver<EnrollResponse> reply) {
    List<ByteString> chain =
        issued(
            () ->
                admission.enroll(
                    request.getTokenId(),
                    request.getTokenSecret().toByteArray(),
                    request.getSigningRequest().toByteArray(),
                    request.getName()));
    reply.onNext(EnrollResponse.newBuilder().addAllCertificateChain(chain).build());
    reply.onCompleted();
  }

  @Override
  public void renew(RenewRequest request, StreamObserver<RenewResponse> reply) {
    SpiffeId caller = AccessInterceptor.caller();
    List<ByteString> chain =
        issued(
            () -> {
              List<X509Certificate> renewed =
                  admission.renew(caller, request.getSigningRequest().toByteArray());
              fleet.noteKey(caller.memberId(), KeyHash.of(renewed.getFirst()));
              return renewed;
            });
    reply.onNext(RenewResponse.newBuilder().addAllCertificateChain(chain).build());
    reply.onCompleted();
  }

  private static List<ByteString> issued(Supplier<List<X509Certificate>> issue) {
    try {
      return issue.get().stream().map(EnrollmentGrpc::der).toList();
    } catch (InvalidSigningRequestException e) {
      throw status(Status.INVALID_ARGUMENT, e);
    } catch (AdmissionRefusedException e) {
      throw status(Status.PERMISSION_DENIED, e);
    }
  }

  private static StatusRuntimeException status(Status status, RuntimeException cause) {
    return status.withDescription(cause.getMessage()).asRuntimeException();
  }

  private static ByteString der(X509Certificate certificate) {
    try {
      return ByteString.copyFrom(certificate.getEncoded());
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException("a certificate just made cannot be encoded", e);
    }
  }
}
