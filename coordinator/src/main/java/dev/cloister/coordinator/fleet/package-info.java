/**
 * The one room for "which machines exist".
 *
 * <p>What was declared (a node joined under a name: {@link dev.cloister.coordinator.fleet.Node},
 * kept for ever) stays apart from what is observed (its session, load and models: {@link
 * dev.cloister.coordinator.fleet.NodeView}, kept in memory and lost with the coordinator). Start
 * with {@link dev.cloister.coordinator.fleet.Fleet}.
 */
package dev.cloister.coordinator.fleet;
