/**
 * The machine's GPUs, one probe for each vendor; start at {@link
 * dev.cloister.agent.fingerprint.gpu.Gpu}, what is found out.
 *
 * <p>They are asked for through the vendors' own tools, so that the agent links against no driver:
 * {@code NvidiaSmiProbe}, {@code RocmSmiProbe}, {@code SystemProfilerProbe}.
 */
package dev.cloister.agent.fingerprint.gpu;
