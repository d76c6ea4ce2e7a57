/**
 * Clusters on this machine, their parts processes of their own, measured from outside. Start with
 * {@link dev.cloister.bench.cluster.ProcessCluster}, a coordinator and agents. {@link
 * dev.cloister.bench.cluster.PathBenchmark} compares what a {@link
 * dev.cloister.bench.cluster.HttpCaller} and an {@link dev.cloister.bench.cluster.EngineCaller} see
 * of the same engine, and kills nodes; {@link dev.cloister.bench.cluster.AgentsBenchmark} has a
 * coordinator serve many {@link dev.cloister.bench.cluster.SimulatedAgent}s.
 */
package dev.cloister.bench.cluster;
