package dev.cloister.coordinator.api;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the caller the status that a service throws; gRPC by itself makes {@code UNKNOWN} of every
 * exception. What is no status is a defect: it is logged, and the caller learns only that.
 */
final class FailureInterceptor implements ServerInterceptor {
  private static final Logger log = LoggerFactory.getLogger(FailureInterceptor.class);

  @Override
  public <Q, S> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
    ServerCall.Listener<Q> service;
    try {
      service = next.startCall(call, headers);
    } catch (RuntimeException e) {
      fail(call, e);
      return new ServerCall.Listener<>() {};
    }
    return new SimpleForwardingServerCallListener<Q>(service) {
      @Override
      public void onHalfClose() {
        try {
          super.onHalfClose();
        } catch (RuntimeException e) {
          fail(call, e);
        }
      }
    };
  }

  private static void fail(ServerCall<?, ?> call, RuntimeException e) {
    if (e instanceof StatusRuntimeException refused) {
      call.close(refused.getStatus(), new Metadata());
      return;
    }
    log.error("{} failed", call.getMethodDescriptor().getFullMethodName(), e);
    call.close(
        Status.INTERNAL.withDescription("the coordinator failed to answer; its log says why"),
        new Metadata());
  }
}
