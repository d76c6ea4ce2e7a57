/**
 * What the administrator says of when machines work for the cluster. It is judged on the machines,
 * whose owners may be stricter: {@code dev.cloister.agent.courtesy}.
 */
package dev.cloister.coordinator.courtesy;
