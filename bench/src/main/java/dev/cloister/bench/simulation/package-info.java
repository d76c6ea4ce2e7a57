/**
 * A fleet in simulated time, with the coordinator's own routing. Start with {@link
 * dev.cloister.bench.simulation.Simulation}: it takes nodes of {@link
 * dev.cloister.bench.simulation.NodeKind}s, requests (made up by {@link
 * dev.cloister.bench.simulation.Arrivals}, or read by {@link
 * dev.cloister.bench.simulation.Recording}) and a {@link dev.cloister.bench.simulation.Policy}, and
 * tells what became of each request. {@link dev.cloister.bench.simulation.Predictive} is the policy
 * that drives what serves; the others are there to compare. {@link
 * dev.cloister.bench.simulation.FleetBenchmark} does.
 *
 * <p>The same requests and the same policy give the same run: nothing here has a clock, a thread or
 * randomness of its own.
 */
package dev.cloister.bench.simulation;
