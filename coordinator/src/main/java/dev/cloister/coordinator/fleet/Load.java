package dev.cloister.coordinator.fleet;

/**
 * How busy a machine said it is.
 *
 * @param cpuUtilization 0 to 1, over all cores
 */
public record Load(double cpuUtilization, long memoryAvailableBytes) {}
