/**
 * The agent: it reports what its machine can do and runs the models it is told to.
 *
 * <p>{@link dev.cloister.agent.Agent} wires the rooms together: {@code fingerprint} (what the
 * machine has), {@code link} (the session with the coordinator), {@code modelstore} (model files),
 * {@code supervisor} (engine processes), {@code engine} (talking to them), {@code courtesy} (when
 * it works at all).
 */
package dev.cloister.agent;
