package dev.cloister.engine.llamacpp.capi;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * What crosses the border between Java and C by address. Whoever names an address answers for what
 * lies there.
 */
@SuppressWarnings("restricted") // The JVM cannot check any of it; see above.
public final class NativeMemory {

  private static final long MAX_TEXT_BYTES = 4096;

  private NativeMemory() {}

  /** The memory at an address. */
  public static MemorySegment at(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  /** The text at an address, in UTF-8 and ended by a zero within 4 KiB. */
  public static String text(long address) {
    return at(address, MAX_TEXT_BYTES).getString(0);
  }

  /** A C function that calls a Java method, which must throw nothing: that ends the process. */
  public static MemorySegment callback(MethodHandle method, FunctionDescriptor shape, Arena arena) {
    return Linker.nativeLinker().upcallStub(method, shape, arena);
  }
}
