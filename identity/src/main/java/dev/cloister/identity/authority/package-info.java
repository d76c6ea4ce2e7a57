/**
 * The cluster's certificate authority: start with {@link
 * dev.cloister.identity.authority.CertificateAuthority}, which signs what a {@link
 * dev.cloister.identity.authority.SigningRequest} asks for. Its root key lies encrypted on disk;
 * {@link dev.cloister.identity.authority.PassphraseSource} says what opens it. Only the coordinator
 * has one.
 */
@NullMarked
package dev.cloister.identity.authority;

import org.jspecify.annotations.NullMarked;
