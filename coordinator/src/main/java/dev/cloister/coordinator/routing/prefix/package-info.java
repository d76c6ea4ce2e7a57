/**
 * Which node holds the beginning of a prompt. {@link
 * dev.cloister.coordinator.routing.prefix.PromptMarks} names beginnings by numbers, which travel
 * with requests; engines tell which of them they hold, and {@link
 * dev.cloister.coordinator.routing.prefix.PrefixIndex} remembers that.
 */
package dev.cloister.coordinator.routing.prefix;
