/**
 * What tests of several modules share: a clock to set, processes to start and kill, a server and
 * archives that misbehave. Never shipped.
 */
package dev.cloister.testkit;
