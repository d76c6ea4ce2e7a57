/**
 * The session with the coordinator: one stream, dialled by the agent, opened again whenever it
 * breaks.
 *
 * <p>Start with {@link dev.cloister.agent.link.CoordinatorLink}. {@code Relay} passes generations
 * between the stream and the engines, {@code Wire} translates what the agent reports.
 */
package dev.cloister.agent.link;
