/**
 * The models the cluster serves, each file known by its SHA-256.
 *
 * <p>Start with {@link dev.cloister.coordinator.catalog.Catalog}.
 */
package dev.cloister.coordinator.catalog;
