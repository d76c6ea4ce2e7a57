package dev.cloister.agent.fingerprint.host;

/** Finds out one part of the fingerprint. May be slow or fail; its caller bounds and reports it. */
@FunctionalInterface
public interface Probe<T> {
  T probe() throws Exception;
}
