package dev.cloister.identity.ticket;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.cloister.identity.IdentitySource;
import dev.cloister.identity.Role;
import dev.cloister.identity.SpiffeId;
import dev.cloister.identity.tls.ClusterTls;
import dev.cloister.proto.peer.v1.SignedTicket;
import dev.cloister.proto.peer.v1.Ticket;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.security.SignatureException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;

/** Tells the coordinator's tickets from all others. Thread-safe. */
public final class TicketVerifier {
  private static final int MOST_CERTIFICATES = 2;

  private final IdentitySource own;
  private final InstantSource clock;

  /**
   * @param own whose root the coordinator's certificate must be signed by
   * @param clock decides whether a ticket has expired
   */
  public TicketVerifier(IdentitySource own, InstantSource clock) {
    this.own = own;
    this.clock = clock;
  }

  /**
   * Returns what a ticket says, which is then the coordinator's word and still valid.
   *
   * @param signedTicket the bytes of a {@code SignedTicket}
   * @throws InvalidTicketException if they are anything else
   */
  public PlanTicket verify(byte[] signedTicket) {
    try {
      SignedTicket signed = SignedTicket.parseFrom(signedTicket);
      requireSignature(signed, coordinator(signed.getCertificatesList()));
      PlanTicket ticket = TicketWire.fromWire(Ticket.parseFrom(signed.getTicket()));
      Instant now = clock.instant();
      if (!now.isBefore(ticket.expiresAt())) {
        throw new InvalidTicketException(
            "the ticket of plan " + ticket.plan() + " expired at " + ticket.expiresAt());
      }
      return ticket;
    } catch (InvalidProtocolBufferException e) {
      throw new InvalidTicketException("the ticket cannot be read", e);
    } catch (IllegalArgumentException e) {
      throw new InvalidTicketException("the ticket is wrong: " + e.getMessage(), e);
    }
  }

  private X509Certificate coordinator(List<ByteString> encoded) {
    if (encoded.isEmpty() || encoded.size() > MOST_CERTIFICATES) {
      throw new InvalidTicketException(
          "the ticket has " + encoded.size() + " certificates (expected: the coordinator's chain)");
    }
    try {
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      List<X509Certificate> chain = new ArrayList<>();
      for (ByteString certificate : encoded) {
        chain.add((X509Certificate) factory.generateCertificate(certificate.newInput()));
      }
      SpiffeId signer = ClusterTls.verify(chain, own.current().root());
      if (signer.role() != Role.COORDINATOR) {
        throw new InvalidTicketException(
            "the ticket is signed by " + signer + " (expected role: coordinator)");
      }
      return chain.getFirst();
    } catch (CertificateException e) {
      throw new InvalidTicketException(
          "the ticket is not signed by a coordinator of this cluster", e);
    }
  }

  private static void requireSignature(SignedTicket signed, X509Certificate signer) {
    try {
      Signature signature = Signature.getInstance(TicketSigner.SIGNATURE);
      signature.initVerify(signer.getPublicKey());
      signature.update(signed.getTicket().asReadOnlyByteBuffer());
      if (signature.verify(signed.getSignature().toByteArray())) {
        return;
      }
    } catch (SignatureException e) {
      throw new InvalidTicketException("the ticket's signature is malformed", e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the Java platform has no " + TicketSigner.SIGNATURE, e);
    }
    throw new InvalidTicketException("the ticket was changed after it was signed");
  }
}
