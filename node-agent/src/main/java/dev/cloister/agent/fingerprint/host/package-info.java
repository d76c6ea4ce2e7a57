/**
 * What the operating system says about this machine, not judged; start at {@link
 * dev.cloister.agent.fingerprint.host.Host}.
 *
 * <p>{@code LinuxHost} reads {@code /proc} and {@code /sys}, {@code OshiHost} asks OSHI elsewhere;
 * {@code ControlGroup}, {@link dev.cloister.agent.fingerprint.host.Swap}, {@link
 * dev.cloister.agent.fingerprint.host.ProcessMemory} and {@link
 * dev.cloister.agent.fingerprint.host.MemorySpeed} tell one thing each. Tools that the machine may
 * have are run by a {@link dev.cloister.agent.fingerprint.host.CommandRunner}, and nothing they
 * print is trusted.
 */
package dev.cloister.agent.fingerprint.host;
