/**
 * Stages of split models: agent to agent over mutual TLS.
 *
 * <p>Start with {@link dev.cloister.agent.stage.Stages}, which has a ticket for each stage on this
 * machine. A {@code StageJoint} joins the stream of the stage before, the engine, and the stream to
 * the stage behind; a {@code Lane} is one direction of it. {@link
 * dev.cloister.agent.stage.PeerListener} listens for other agents.
 */
package dev.cloister.agent.stage;
