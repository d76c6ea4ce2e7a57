/**
 * Who may join, who may call what, and who may use the HTTP APIs.
 *
 * <p>{@link dev.cloister.coordinator.identity.Admission} redeems join tokens, {@link
 * dev.cloister.coordinator.identity.AccessTable} says which role may call which method, {@link
 * dev.cloister.coordinator.identity.ApiKeys} checks the keys of HTTP callers. Secrets are stored as
 * hashes only.
 */
package dev.cloister.coordinator.identity;
