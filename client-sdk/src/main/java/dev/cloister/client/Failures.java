package dev.cloister.client;

import dev.cloister.client.CloisterException.Kind;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/** What a gRPC status means to a caller. */
final class Failures {
  private Failures() {}

  static CloisterException of(StatusRuntimeException e) {
    Status status = e.getStatus();
    String description = status.getDescription() == null ? "" : status.getDescription();
    return switch (status.getCode()) {
      case INVALID_ARGUMENT, ALREADY_EXISTS, OUT_OF_RANGE, FAILED_PRECONDITION ->
          new CloisterException(Kind.INVALID_REQUEST, description, e);
      case NOT_FOUND -> new CloisterException(Kind.NOT_FOUND, description, e);
      case PERMISSION_DENIED -> new CloisterException(Kind.NOT_ALLOWED, description, e);
      case UNAUTHENTICATED ->
          new CloisterException(
              Kind.NOT_ALLOWED,
              "the coordinator does not know this profile; join with a new token",
              e);
      case UNAVAILABLE ->
          new CloisterException(
              Kind.UNREACHABLE,
              "the coordinator does not answer; check that it runs and that this machine can reach"
                  + " it",
              e);
      case CANCELLED ->
          new CloisterException(
              Kind.UNREACHABLE,
              "the call was broken off before its answer was complete; send the request again",
              e);
      case RESOURCE_EXHAUSTED -> new CloisterException(Kind.NO_CAPACITY, description, e);
      case DEADLINE_EXCEEDED ->
          new CloisterException(Kind.TIMED_OUT, "the coordinator did not answer in time", e);
      default ->
          new CloisterException(
              Kind.INTERNAL,
              "the call failed with "
                  + status.getCode()
                  + (description.isEmpty() ? "" : ": ")
                  + description,
              e);
    };
  }
}
