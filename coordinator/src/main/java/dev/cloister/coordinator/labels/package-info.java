/**
 * Labels of nodes, and what requires them: {@link dev.cloister.coordinator.labels.Labels}. A
 * confidential model or API key names labels, and nothing of it goes to a node that does not have
 * all of them.
 */
package dev.cloister.coordinator.labels;
