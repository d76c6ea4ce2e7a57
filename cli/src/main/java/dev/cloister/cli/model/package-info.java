/**
 * {@code cloister model} and {@code cloister ps}; start at {@link
 * dev.cloister.cli.model.ModelCommand}.
 */
package dev.cloister.cli.model;
