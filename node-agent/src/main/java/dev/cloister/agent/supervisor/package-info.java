/**
 * Engine processes: started, watched, restarted.
 *
 * <p>llama.cpp can abort its process, so each model runs in one of its own; a crash costs one model
 * for a second or two, never the agent. Start with {@link
 * dev.cloister.agent.supervisor.Supervisor}; {@code ServedModel} is the life of one model, read
 * from top to bottom.
 */
package dev.cloister.agent.supervisor;
