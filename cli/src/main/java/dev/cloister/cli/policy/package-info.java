/** {@code cloister policy}; start at {@link dev.cloister.cli.policy.PolicyCommand}. */
package dev.cloister.cli.policy;
