/**
 * Connections between members: TLS 1.3 in which both sides are known by their {@link
 * dev.cloister.identity.SpiffeId}, not by a host name.
 *
 * <p>Start with {@link dev.cloister.identity.tls.ClusterTls}.
 */
@NullMarked
package dev.cloister.identity.tls;

import org.jspecify.annotations.NullMarked;
