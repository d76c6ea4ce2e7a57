/**
 * What lets a machine in: a {@link dev.cloister.identity.token.JoinToken} carries what a newcomer
 * must know to trust the coordinator before it has a certificate, and the secret it redeems for
 * one.
 */
@NullMarked
package dev.cloister.identity.token;

import org.jspecify.annotations.NullMarked;
