/**
 * Wakes machines that sleep (Wake-on-LAN).
 *
 * <p>{@link dev.cloister.coordinator.wake.Waker} sends a {@link
 * dev.cloister.coordinator.wake.MagicPacket}; {@link dev.cloister.coordinator.wake.WakingOutlook}
 * has it do so where requests find no free node and a sleeping one had their model.
 */
package dev.cloister.coordinator.wake;
