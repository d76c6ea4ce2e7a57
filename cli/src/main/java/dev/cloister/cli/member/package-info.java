/**
 * What makes a machine a member of a cluster: {@code cloister coordinator}, {@code cloister agent}
 * and {@code cloister join}.
 *
 * <p>This is where the parts are wired together: {@link dev.cloister.cli.member.CoordinatorCommand}
 * and {@link dev.cloister.cli.member.AgentCommand} read what their owners say and run until they
 * are stopped.
 */
package dev.cloister.cli.member;
