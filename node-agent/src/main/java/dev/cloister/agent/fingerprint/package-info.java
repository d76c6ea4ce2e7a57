/**
 * What this machine has and how busy it is; start at {@link
 * dev.cloister.agent.fingerprint.Fingerprint}.
 *
 * <p>{@link dev.cloister.agent.fingerprint.Fingerprint#take()} runs one probe for each part of a
 * {@link dev.cloister.agent.fingerprint.Capability}, all at once and each bounded in time; what
 * cannot be found out stays unknown, nothing is thrown. {@link
 * dev.cloister.agent.fingerprint.LoadSampler} answers every second how much of the machine is free.
 *
 * <p>Two layers: {@link dev.cloister.agent.fingerprint.host} hands out what the operating system
 * says, raw; the probes here judge it (control group limits, interfaces that are only bridges,
 * extensions that matter). GPUs are probed in {@link dev.cloister.agent.fingerprint.gpu}.
 */
package dev.cloister.agent.fingerprint;
