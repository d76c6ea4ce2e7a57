/**
 * Has models run: which node is to have what loaded, and the rings of stages that answer together.
 *
 * <p>Start with {@link dev.cloister.coordinator.deployment.Deployments}: told of every change of
 * the fleet and the catalog, it has the planner decide and the nodes follow. A {@link
 * dev.cloister.coordinator.deployment.Pipeline} is one plan under way.
 */
package dev.cloister.coordinator.deployment;
