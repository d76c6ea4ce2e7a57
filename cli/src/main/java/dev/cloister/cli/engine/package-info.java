/**
 * {@code cloister engine}: which native libraries a machine has and can have; start at {@link
 * dev.cloister.cli.engine.EngineCommand}.
 */
package dev.cloister.cli.engine;
