/**
 * The coordinator's durable state, in SQLite.
 *
 * <p>It is small: members, tokens, keys, models. {@link dev.cloister.coordinator.store.Database}
 * opens it and brings its schema up to date with the numbered scripts beside it; each other class
 * keeps one table for one room of the domain.
 */
package dev.cloister.coordinator.store;
