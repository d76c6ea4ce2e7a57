/**
 * Who may join and who may ask: {@code cloister token} ({@link
 * dev.cloister.cli.access.TokenCommand}) and {@code cloister key} ({@link
 * dev.cloister.cli.access.KeyCommand}).
 */
package dev.cloister.cli.access;
