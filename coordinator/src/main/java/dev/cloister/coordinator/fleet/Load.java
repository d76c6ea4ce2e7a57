package dev.cloister.coordinator.fleet;

/**
 * How busy a machine said it is.
 *
 * @param cpuUtilization 0 to 1, over all cores
 * @param memoryBytesPerSecond how fast its main memory was copied when that was measured; 0 before
 */
public record Load(double cpuUtilization, long memoryAvailableBytes, double memoryBytesPerSecond) {}
