/**
 * What is asked of a model and what comes back, as the coordinator's domain sees it.
 *
 * <p>Start with {@link dev.cloister.coordinator.inference.GenerationRequest}, what is asked and by
 * whom, and {@link dev.cloister.coordinator.inference.GenerationEvent}, what comes back; prompts
 * have a room of their own, {@link dev.cloister.coordinator.inference.prompt}. Every value checks
 * itself when it is made, so that whatever arrived through HTTP or gRPC is well-formed from here
 * on.
 */
package dev.cloister.coordinator.inference;
