/**
 * Model files and pieces of them on the wire: from the coordinator, from other agents, and to them.
 *
 * <p>Start with {@link dev.cloister.agent.transfer.GrpcStageSource}.
 */
package dev.cloister.agent.transfer;
