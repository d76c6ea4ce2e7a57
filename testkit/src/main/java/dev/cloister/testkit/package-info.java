/**
 * What tests of several modules share: a clock to set, processes to start and kill. Never shipped.
 */
package dev.cloister.testkit;
