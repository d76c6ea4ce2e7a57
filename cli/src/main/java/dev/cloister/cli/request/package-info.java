/**
 * {@code cloister chat} asks ({@link dev.cloister.cli.request.ChatCommand}), {@code cloister
 * explain} tells which node answered and why ({@link dev.cloister.cli.request.ExplainCommand}).
 */
package dev.cloister.cli.request;
