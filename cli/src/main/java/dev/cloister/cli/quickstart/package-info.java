/**
 * A cluster of processes on this machine ({@link dev.cloister.cli.quickstart.QuickstartCommand}),
 * and the rehearsal of one that makes later starts quick ({@link
 * dev.cloister.cli.quickstart.PrepareCommand}).
 */
package dev.cloister.cli.quickstart;
