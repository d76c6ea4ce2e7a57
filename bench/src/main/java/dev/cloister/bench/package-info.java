/**
 * Benchmarks, run by hand through {@code cloister bench}; their tables go to {@code
 * docs/benchmarks.md}. Nothing here is a test: no build fails because a machine was busy.
 */
package dev.cloister.bench;
