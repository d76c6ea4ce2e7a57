/**
 * Stages of split models: agent to agent over mutual TLS.
 *
 * <p>Start with {@link dev.cloister.agent.stage.Stages}, which has a ticket for each stage on this
 * machine. A {@code StageJoint} joins the stream of the stage before, the engine, and the stream to
 * the stage behind; a {@code Lane} is one direction of it. {@link
 * dev.cloister.agent.stage.PeerListener} listens for other agents. Where these do not reach this
 * one, a {@code RelayedStream} comes from the coordinator. {@link
 * dev.cloister.agent.stage.LinkMeter} measures the ways to others.
 */
package dev.cloister.agent.stage;
