/**
 * A member's side of joining: redeem a token, keep the membership, renew its certificate.
 *
 * <p>Agents and clients join alike. Start with {@link dev.cloister.identity.enrollment.Membership}.
 */
package dev.cloister.identity.enrollment;
