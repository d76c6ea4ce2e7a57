/**
 * The {@code cloister} command: the only module that sees all others.
 *
 * <p>{@link dev.cloister.cli.Main} is the entry; each command is a class of its own named after
 * what is typed, in the room of its noun:
 *
 * <ul>
 *   <li>{@link dev.cloister.cli.quickstart}: {@code quickstart}, {@code prepare}
 *   <li>{@link dev.cloister.cli.member}: {@code coordinator}, {@code agent}, {@code join}
 *   <li>{@link dev.cloister.cli.access}: {@code token}, {@code key}
 *   <li>{@link dev.cloister.cli.node}: {@code node}
 *   <li>{@link dev.cloister.cli.model}: {@code model}, {@code ps}
 *   <li>{@link dev.cloister.cli.engine}: {@code engine}
 *   <li>{@link dev.cloister.cli.request}: {@code chat}, {@code explain}
 *   <li>{@link dev.cloister.cli.doctor}: {@code doctor}
 * </ul>
 *
 * <p>Here are those that need no room. What commands are given is read in {@link
 * dev.cloister.cli.argument}; how they end and print is said in {@link dev.cloister.cli.outcome};
 * further processes are started in {@link dev.cloister.cli.process}. Data goes to standard output,
 * progress and logs to standard error.
 */
package dev.cloister.cli;
