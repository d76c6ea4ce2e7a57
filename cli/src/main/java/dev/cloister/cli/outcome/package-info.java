/**
 * How commands end, and what they print.
 *
 * <p>{@link dev.cloister.cli.outcome.ExitCode} lists the exit codes; {@link
 * dev.cloister.cli.outcome.Failures} turns exceptions into one sentence; {@link
 * dev.cloister.cli.outcome.OutputOptions} prints tables for people and JSON for programs.
 */
package dev.cloister.cli.outcome;
