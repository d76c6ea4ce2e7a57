package dev.cloister.identity.tls;

/** Whether a listener speaks to callers who present no certificate. One presented is checked. */
public enum ClientCertificate {
  /** For the coordinator, at which newcomers enrol; its access table refuses them all else. */
  OPTIONAL,
  /** For every other listener. */
  REQUIRED
}
