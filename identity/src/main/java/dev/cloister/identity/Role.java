package dev.cloister.identity;

import java.util.Locale;

/** What a member of the cluster is; the second part of its {@link SpiffeId}. */
public enum Role {
  /** Runs the certificate authority and the control plane. */
  COORDINATOR,
  /** Runs models on its machine. */
  AGENT,
  /** Uses the models. */
  CLIENT,
  /** Administers the cluster. */
  ADMIN;

  private final String segment = name().toLowerCase(Locale.ROOT);

  /** Returns the role as a SPIFFE path segment: its name in lower case. */
  public String segment() {
    return segment;
  }

  /**
   * Returns the role with this segment.
   *
   * @throws InvalidIdentityException if there is none
   */
  public static Role parse(String segment) {
    for (Role role : values()) {
      if (role.segment.equals(segment)) {
        return role;
      }
    }
    throw new InvalidIdentityException(
        "role is not one of coordinator, agent, client and admin: " + Quoted.text(segment));
  }
}
