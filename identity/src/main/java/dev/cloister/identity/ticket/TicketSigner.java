package dev.cloister.identity.ticket;

import com.google.protobuf.ByteString;
import dev.cloister.identity.Identity;
import dev.cloister.identity.IdentitySource;
import dev.cloister.proto.peer.v1.SignedTicket;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;

/** Signs tickets with the coordinator's key. Thread-safe. */
public final class TicketSigner {
  static final String SIGNATURE = "SHA256withECDSA";

  private final IdentitySource coordinator;

  /**
   * @param coordinator asked for each ticket
   */
  public TicketSigner(IdentitySource coordinator) {
    this.coordinator = coordinator;
  }

  /** Returns the ticket with signature and certificates: the bytes of a {@code SignedTicket}. */
  public byte[] sign(PlanTicket ticket) {
    Identity identity = coordinator.current();
    byte[] bytes = TicketWire.toWire(ticket).toByteArray();
    try {
      Signature signature = Signature.getInstance(SIGNATURE);
      signature.initSign(identity.key());
      signature.update(bytes);
      SignedTicket.Builder signed =
          SignedTicket.newBuilder()
              .setTicket(ByteString.copyFrom(bytes))
              .setSignature(ByteString.copyFrom(signature.sign()));
      for (X509Certificate certificate : identity.chain()) {
        signed.addCertificates(ByteString.copyFrom(certificate.getEncoded()));
      }
      return signed.build().toByteArray();
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException("a certificate that was read cannot be written", e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the coordinator's key cannot sign with " + SIGNATURE, e);
    }
  }
}
