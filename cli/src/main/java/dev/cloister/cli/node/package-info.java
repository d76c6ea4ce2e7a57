/** {@code cloister node}; start at {@link dev.cloister.cli.node.NodeCommand}. */
package dev.cloister.cli.node;
