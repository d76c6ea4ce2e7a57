/**
 * What several commands are given: options they share, and values as people write them.
 *
 * <p>{@link dev.cloister.cli.argument.ProfileOptions} opens a connection as a member of the
 * cluster; {@link dev.cloister.cli.argument.Directories} says where things lie when nobody says
 * otherwise.
 */
package dev.cloister.cli.argument;
