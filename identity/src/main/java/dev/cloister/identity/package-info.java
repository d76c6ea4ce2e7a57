/**
 * Who is who in a cluster: names, keys and certificates.
 *
 * <p>Start with {@link dev.cloister.identity.SpiffeId}, the name every member carries in its
 * certificate. A member makes its key with {@link dev.cloister.identity.MemberKey}, the coordinator
 * signs it ({@link dev.cloister.identity.authority}), and the two together are an {@link
 * dev.cloister.identity.Identity}, kept on disk by {@link dev.cloister.identity.IdentityStore} and
 * in memory by {@link dev.cloister.identity.RenewableIdentity}. A newcomer shows a {@linkplain
 * dev.cloister.identity.token join token}. Connections are made in {@link
 * dev.cloister.identity.tls}.
 *
 * <p>Exceptions of this package carry one sentence for the person who has to act on it, and no
 * secret.
 */
@NullMarked
package dev.cloister.identity;

import org.jspecify.annotations.NullMarked;
