/**
 * A model in two stages beside the whole one: {@link dev.cloister.bench.split.SplitBenchmark}, with
 * engine processes pinned to a core each.
 */
package dev.cloister.bench.split;
