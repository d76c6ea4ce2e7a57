/**
 * Model files on this machine, known by their SHA-256 and verified before they are used.
 *
 * <p>Start with {@link dev.cloister.agent.modelstore.ModelStore}.
 */
package dev.cloister.agent.modelstore;
