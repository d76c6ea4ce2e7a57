/**
 * The {@code cloister} command: the only module that sees all others.
 *
 * <p>{@link dev.cloister.cli.Main} is the entry; each command is a class of its own named after
 * what is typed. Data goes to standard output, progress and logs to standard error; {@link
 * dev.cloister.cli.ExitCode} lists the exit codes, {@link dev.cloister.cli.Failures} turns
 * exceptions into one sentence.
 */
package dev.cloister.cli;
