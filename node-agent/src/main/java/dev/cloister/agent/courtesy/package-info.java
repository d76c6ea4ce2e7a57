/**
 * The good neighbour: when this machine works for the cluster, and when it leaves that to others.
 *
 * <p>Start with {@link dev.cloister.agent.courtesy.Courtesy}, the pure judgement of what a {@link
 * dev.cloister.agent.courtesy.Policy} makes of an {@link dev.cloister.agent.courtesy.Observation};
 * {@link dev.cloister.agent.courtesy.Steadiness} keeps it from going back and forth, {@link
 * dev.cloister.agent.courtesy.Surroundings} observes, and {@link
 * dev.cloister.agent.courtesy.Neighbour} does all of it again and again.
 */
package dev.cloister.agent.courtesy;
