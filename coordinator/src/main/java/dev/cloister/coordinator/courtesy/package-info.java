/**
 * What administrators say of when machines work for the cluster. It is judged on the machines,
 * whose owners may be stricter: {@code dev.cloister.agent.courtesy}. Start with {@link
 * dev.cloister.coordinator.courtesy.Policies}.
 */
package dev.cloister.coordinator.courtesy;
