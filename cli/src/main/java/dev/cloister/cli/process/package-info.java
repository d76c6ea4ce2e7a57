/**
 * Processes of Cloister: how one starts another ({@link dev.cloister.cli.process.JavaCommand},
 * {@link dev.cloister.cli.process.ChildProcess}), ends with it ({@link
 * dev.cloister.cli.process.ParentPipe}), and is ended ({@link dev.cloister.cli.process.Shutdown}).
 */
package dev.cloister.cli.process;
